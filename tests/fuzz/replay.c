/* Runs a target on the files that are named, without libFuzzer: for scripts/coverage. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    static uint8_t bytes[64 * 1024];

    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "re");
        size_t size;

        if (file == NULL) {
            perror(argv[i]);
            return 1;
        }
        size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    return 0;
}
