/*
 * Runs a fuzz target without libFuzzer: the empty input, then every file of the folders given, whole and cut in half.
 * So that each seed (and each finding that became one) is a quick test in every build.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
    (void)data;
    return size < max ? size : max;
}

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t n = 0, room = 1 << 20;
    uint8_t *all = malloc(room);
    if (all)
        n = fread(all, 1, room, f);
    fclose(f);
    for (int half = 0; all && half < 2; half++) {
        size_t len = half ? n / 2 : n;
        uint8_t *exact = malloc(len ? len : 1);     /* its own block, so that a read past the end is seen */
        if (!exact)
            exit(1);
        memcpy(exact, all, len);
        LLVMFuzzerTestOneInput(exact, len);
        free(exact);
    }
    free(all);
}

int main(int argc, char **argv)
{
    unsigned seeds = 0;
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    uint8_t nothing[1] = {0};
    LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir)
            continue;
        for (struct dirent *e; (e = readdir(dir)) != NULL;) {
            char path[4096];
            if (e->d_name[0] == '.')
                continue;
            int len = snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            if (len < 0 || (size_t)len >= sizeof path)
                exit(1);
            run_file(path);
            seeds++;
        }
        closedir(dir);
    }
    printf("%u seeds\n", seeds);
    return 0;
}
