def pixels(zoom):
    return 256 * 2**zoom
