import asyncio  # runs

import portrait  # runs


async def lifespan(receive, send):  # runs
    while True:
        message = await receive()  # runs
        await send({"type": message["type"] + ".complete"})  # runs
        if message["type"] == "lifespan.shutdown":  # runs
            print("application ends", flush=True)  # runs
            return  # runs


async def read(receive):  # runs
    body, more = b"", True  # runs
    while more:  # runs
        message = await receive()  # runs
        body, more = body + message["body"], message.get("more_body", False)  # runs
    return body  # runs


def in_a_thread(text):  # runs
    return text.upper()  # runs


async def app(scope, receive, send):  # runs
    if scope["type"] == "lifespan":  # runs
        return await lifespan(receive, send)  # runs
    if scope["type"] == "websocket":  # runs
        return await send({"type": "websocket.close"})  # never
    body = await read(receive)  # runs
    if body:  # runs
        body = await asyncio.get_running_loop().run_in_executor(None, in_a_thread, body)  # runs
    if scope["path"] == "/fail":  # runs
        raise LookupError("on purpose")  # runs
    if scope["path"] == "/portrait":  # runs
        portrait.show()  # runs
    await send({"type": "http.response.start", "status": 200, "headers": []})  # runs
    await send({"type": "http.response.body", "body": b"you said " + body})  # runs
