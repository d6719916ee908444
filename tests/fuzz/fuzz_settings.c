/* fuzz_settings.c - any bytes as a file of settings: what comes out is bounded, whole and in order, and every problem has a line of the file.
 * links: yaml */
#include <stdlib.h>

#include "../../cli/common/settings.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings s;
    unsigned lines = 1, before = 0;
    if (size > SETTINGS_FILE_MOST)
        return 0;
    for (size_t i = 0; i < size; i++) /* YAML has more ends of lines than one; and counts one behind the last */
        lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xa8 || data[i] == 0xa9;
    bool ok = settings_read(&s, data, size);
    if (ok != !s.n_problems || s.n > SETTINGS_MOST || s.n_problems > SETTINGS_PROBLEMS)
        abort();
    for (size_t i = 0; i < s.n_problems; i++)
        if (!s.problems[i].line || s.problems[i].line > lines + 1 || !*s.problems[i].text)
            abort();
    for (size_t i = 0; i < s.n; i++) {
        if (!s.all[i].name || !s.all[i].value || s.all[i].line < before || s.all[i].line > lines + 1)
            abort();
        before = s.all[i].line;
        for (size_t k = 0; ok && k < i; k++) /* several values are those of one list */
            if (!strcmp(s.all[k].name, s.all[i].name) && (!s.all[i].listed || strcmp(s.all[k].name, s.all[k + 1].name) != 0))
                abort();
    }
    settings_free(&s);
    return 0;
}
