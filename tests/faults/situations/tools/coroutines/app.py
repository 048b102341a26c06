import asyncio  # runs
import contextlib  # runs


def numbers():  # runs
    try:  # runs
        yield 1  # runs
        yield 2  # runs
        yield 3  # never
    finally:
        print("closed")  # runs


@contextlib.asynccontextmanager  # runs
async def managed():  # runs
    yield 4  # runs


async def serve():  # runs
    async with managed() as value:  # runs
        await asyncio.sleep(0)  # runs
        return [value + n async for n in more()]  # runs


async def more():  # runs
    yield 1  # runs


made = numbers()  # runs
print(next(made), next(made))  # runs
made.close()  # runs
print(asyncio.run(serve()))  # runs
print([(lambda: n)() for n in range(2)])  # runs
