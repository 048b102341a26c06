import asyncio  # runs
import sys  # runs


async def serve():  # runs
    child = await asyncio.create_subprocess_exec(sys.executable, "child.py", env={}, stdout=-1)  # runs
    print(await child.communicate(), child.returncode)  # runs


asyncio.run(serve())  # runs
