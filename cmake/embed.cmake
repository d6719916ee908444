# cmake -DIN=file -DOUT=header -DNAME=symbol -P embed.cmake : a file as a C string
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REPLACE "0a," "0a,\n" bytes "${bytes}")
file(WRITE ${OUT} "/* made from ${NAME} at build */\nstatic const unsigned char ${NAME}[] = {\n${bytes}0x00};\n")
