from clinic.urls import application

__all__ = ["application"]
