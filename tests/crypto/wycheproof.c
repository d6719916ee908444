#include "crypto/wycheproof.h"

static uint8_t room[1 << 18];
static size_t used;

static span hex_of(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t n;
    assert_non_null(text);
    assert_true(hex_decode(room + used, sizeof room - used, &n, span_of(text, strlen(text))));
    used += n;
    return span_of(room + used - n, n);
}

span vector_hex(const struct vector *v, const char *field)
{
    return hex_of(json_object_get(v->test, field));
}

span group_hex(const struct vector *v, const char *field)
{
    return hex_of(json_object_get(v->group, field));
}

span member_hex(const struct vector *v, const char *object, const char *field)
{
    return hex_of(json_object_get(json_object_get(v->group, object), field));
}

int64_t vector_int(const struct vector *v, const char *field)
{
    const json_t *value = json_object_get(v->test, field);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

const char *group_text(const struct vector *v, const char *field)
{
    const char *text = json_string_value(json_object_get(v->group, field));
    assert_non_null(text);
    return text;
}

bool vector_flag(const struct vector *v, const char *flag)
{
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(v->test, "flags"), i, value)
        if (!strcmp(json_string_value(value), flag))
            return true;
    return false;
}

static enum expected expected_of(const json_t *test)
{
    const char *result = json_string_value(json_object_get(test, "result"));
    assert_non_null(result);
    return !strcmp(result, "valid") ? VALID : !strcmp(result, "invalid") ? INVALID : ACCEPTABLE;
}

static void one(const char *name, vector_fn *fn, struct vector *v)
{
    used = 0;
    v->want = expected_of(v->test);
    v->left_out = NULL;
    if (!fn(v))
        test_fail("%s: case %d (%s, %s) does not hold", name, (int)vector_int(v, "tcId"),
                  json_string_value(json_object_get(v->test, "comment")), json_string_value(json_object_get(v->test, "result")));
}

void wycheproof(const char *name, vector_fn *fn)
{
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/vectors/wycheproof/%s_test.json", TEST_DATA, name);
    json_t *root = json_load_file(path, 0, &error);
    if (!root)
        test_fail("%s: %s", path, error.text);
    size_t counts[3] = { 0 }, all = 0, out = 0, g, t;
    const char *why = "";
    json_t *group, *test;
    json_array_foreach(json_object_get(root, "testGroups"), g, group)
        json_array_foreach(json_object_get(group, "tests"), t, test) {
            struct vector v = { .group = group, .test = test };
            one(name, fn, &v);
            counts[v.want]++;
            all++;
            out += v.left_out != NULL;
            why = v.left_out ? v.left_out : why;
        }
    assert_int_equal(all, json_integer_value(json_object_get(root, "numberOfTests")));
    assert_true(all > out);
    printf("%s: %zu cases hold (of %zu: %zu valid, %zu invalid, %zu acceptable)", name, all - out, all, counts[VALID], counts[INVALID],
           counts[ACCEPTABLE]);
    if (out)
        printf(", %zu left out: %s", out, why);
    printf("\n");
    json_decref(root);
}
