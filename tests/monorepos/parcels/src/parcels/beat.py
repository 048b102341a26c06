from parcels import queue  # runs

queue.put("sweep", "all")  # runs
