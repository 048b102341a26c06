import asyncio  # runs
import signal  # runs

import portrait  # runs


async def serve():  # runs
    stopped = asyncio.Event()  # runs
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)  # runs
    portrait.show()  # runs
    print("ready", flush=True)  # runs
    await stopped.wait()  # runs
    print("stopping")  # runs
    return 6  # runs


raise SystemExit(asyncio.run(serve()))  # runs
