# Files inside programs.
#
#     glass_embed(<target> <symbol> <file>)
#
# puts the bytes of a file, which the build may make only later, into the
# target. In C they are
#
#     extern const unsigned char symbol[];      the bytes
#     extern const unsigned char symbol_end[];  one past the last, a zero
#
# The assembler takes the file in as it is, so it costs no time whatever its
# size, and the object is made anew when the file changes.

function(glass_embed target symbol file)
    set(GLASS_EMBED_SYMBOL "${symbol}")
    get_filename_component(GLASS_EMBED_FILE "${file}" ABSOLUTE)
    set(source "${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c")
    configure_file("${GLASS_ROOT}/cmake/embed.c.in" "${source}" @ONLY)
    set_source_files_properties("${source}" PROPERTIES
        OBJECT_DEPENDS "${GLASS_EMBED_FILE}")
    target_sources(${target} PRIVATE "${source}")
endfunction()
