# The version of Glass and of its libraries, once.
set(GLASS_VERSION 0.1.0)
