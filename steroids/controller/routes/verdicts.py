"""A person's word on a task."""

from fastapi import APIRouter

from steroids.controller.wiring import Controller


def router(controller: Controller) -> APIRouter:
    return APIRouter()
