from setuptools import setup

setup(name="money", packages=["money"])
