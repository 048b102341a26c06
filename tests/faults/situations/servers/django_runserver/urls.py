import threading  # runs
import time  # runs
from pathlib import Path  # runs

from django.http import HttpResponse  # runs
from django.urls import path  # runs

marker = Path("started")  # runs
if marker.exists():  # runs
    print("started again", flush=True)  # runs
marker.touch()  # runs


def middleware(get_response):  # runs
    def pass_on(request):  # runs
        return get_response(request)  # runs

    return pass_on  # runs


def index(request):  # runs
    if threading.current_thread() is threading.main_thread():  # runs
        return HttpResponse("main thread")  # never
    return HttpResponse("hello")  # runs


def touch(request):  # runs
    time.sleep(2)  # runs
    Path(__file__).touch()  # runs
    return HttpResponse("touched")  # runs


def other(request):  # runs
    return HttpResponse("other")  # never


urlpatterns = [path("", index), path("touch", touch), path("other", other)]  # runs
