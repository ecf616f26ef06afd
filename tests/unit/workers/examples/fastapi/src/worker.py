import jinja2
from fastapi import FastAPI, Request
from workers import WorkerEntrypoint

environment = jinja2.Environment(autoescape=True)
greeting = environment.from_string("Good morning, {{ name }}!")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        import asgi

        return await asgi.fetch(app, request.js_object, self.env)


app = FastAPI()


@app.get("/")
async def root():
    return {"message": "The page of " + greeting.render(name="all")}


@app.get("/env")
async def from_env(req: Request):
    env = req.scope["env"]
    return {"message": env.MESSAGE}


@app.get("/hi/{name}")
def hi(name: str):
    return {"message": greeting.render(name=name)}
