from django.http import JsonResponse
from django.urls import path


def hello(request):
    return JsonResponse({"message": "Good morning from Django", "asked": request.get_full_path()})


urlpatterns = [path("", hello)]
