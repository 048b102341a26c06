from xml.etree import ElementTree


def decode(text):
    return float(ElementTree.fromstring(text).text)
