"""FastAPI: the recipe of docs/guides/mounting.md, which explains it.

Copy it into your application, and there: uvicorn mounting_fastapi:app
"""

from fastapi import FastAPI

from durabase.asgi import asgi_app

sync = asgi_app("wrangler.toml")
app = FastAPI(lifespan=sync.lifespan)
app.mount("/sync", sync)


@app.get("/health")
def health() -> dict[str, bool]:
    return {"ok": True}


@app.post("/pets/{pet}/sold")
async def sell(pet: str) -> dict[str, bool]:
    async with sync.room("my-room") as room:
        room.store.set_cell("pets", pet, "sold", True)
    return {"saved": True}


@app.post("/pets/{pet}/price/{price}")
def set_price(pet: str, price: int) -> dict[str, bool]:
    with sync.blocking_room("my-room") as room, room.transaction():
        room.store.set_cell("pets", pet, "price", price)
    return {"saved": True}
