import asyncio  # runs

import portrait  # runs


async def lifespan(receive, send):  # runs
    while True:
        message = await receive()  # runs
        await send({"type": message["type"] + ".complete"})  # runs
        if message["type"] == "lifespan.shutdown":  # runs
            print("worker ends", flush=True)  # runs
            return  # runs


async def in_background(found):  # runs
    await asyncio.sleep(0.01)  # runs
    found.append("in background")  # runs


async def app(scope, receive, send):  # runs
    if scope["type"] == "lifespan":  # runs
        return await lifespan(receive, send)  # runs
    if scope["type"] == "websocket":  # runs
        return await send({"type": "websocket.close"})  # never
    found = []  # runs
    await asyncio.gather(in_background(found), in_background(found))  # runs
    if scope["path"] == "/fail":  # runs
        raise LookupError("on purpose")  # runs
    if scope["path"] == "/portrait":  # runs
        portrait.show()  # runs
    await send({"type": "http.response.start", "status": 200, "headers": []})  # runs
    await send({"type": "http.response.body", "body": repr(found).encode()})  # runs
