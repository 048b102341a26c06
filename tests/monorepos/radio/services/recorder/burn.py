def burn(device):
    raise NotImplementedError(device)
