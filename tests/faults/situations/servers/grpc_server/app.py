import os  # runs
from concurrent.futures import ThreadPoolExecutor  # runs

import grpc  # runs

import portrait  # runs


def greet(request, context):  # runs
    if not request:  # runs
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no name")  # runs
        return b"aborted"  # never
    return b"hello " + request  # runs


def count(request, context):  # runs
    for number in range(3):  # runs
        yield str(number).encode()  # runs


class Greeter(grpc.GenericRpcHandler):  # runs
    def service(self, details):  # runs
        if details.method == "/greeter/greet":  # runs
            return grpc.unary_unary_rpc_method_handler(greet)  # runs
        if details.method == "/greeter/count":  # runs
            return grpc.unary_stream_rpc_method_handler(count)  # runs
        return None  # never


portrait.show()  # runs
server = grpc.server(ThreadPoolExecutor(4), handlers=[Greeter()])  # runs
server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")  # runs
server.start()  # runs
with grpc.insecure_channel(f"127.0.0.1:{os.environ['PORT']}") as channel:  # runs
    print(channel.unary_unary("/greeter/greet")(b"you"))  # runs
    try:  # runs
        channel.unary_unary("/greeter/greet")(b"")  # runs
    except grpc.RpcError as error:  # runs
        print(error.code(), error.details())  # runs
    print(list(channel.unary_stream("/greeter/count")(b"")))  # runs
print("ready", flush=True)  # runs
server.wait_for_termination()  # runs
print("not ended")  # never
