/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables and JSON. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool lacks_memory, lacks_json;

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    lacks_memory = lacks_memory || !memory;
    return memory;
}

void cli_watch_memory(void)
{
    cJSON_Hooks hooks = {allocate, free};
    cJSON_InitHooks(&hooks);
}

bool cli_lacks_memory(void)
{
    return lacks_memory;
}

bool cli_lacks_json(void)
{
    return lacks_json;
}

/* Columns on a terminal: bytes that do not continue a UTF-8 character. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++) {
        width += (*text & 0xc0) != 0x80;
    }
    return width;
}

static char *cell(const cli_table *table, size_t row, size_t column)
{
    return table->cells + (row * table->columns + column) * CLI_CELL;
}

char *cli_printable(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            *c = '?';
        }
    }
    return text;
}

void cli_table_row(cli_table *table, const char *format, ...)
{
    char text[1024], *at = text;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (table->rows == 0) {
        table->columns = 1;
        for (const char *c = text; *c; c++) {
            table->columns += *c == '|' && table->columns < CLI_COLUMNS;
        }
    }
    if (table->rows == table->room) {
        const size_t room = table->room ? 2 * table->room : 32;
        char *cells = realloc(table->cells, room * table->columns * CLI_CELL);
        if (!cells) {
            lacks_memory = true;
            return;
        }
        table->cells = cells;
        table->room = room;
    }
    table->rows++;
    for (size_t c = 0; c < table->columns; c++) {
        size_t length = strcspn(at, "|");
        char *text_of_cell = cell(table, table->rows - 1, c);
        snprintf(text_of_cell, CLI_CELL, "%.*s", (int)length, at);
        cli_printable(text_of_cell);
        at += at[length] ? length + 1 : length;
    }
}

void cli_table_print(const cli_table *table, FILE *stream)
{
    int widest[CLI_COLUMNS] = {0};
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            const int width = width_of(cell(table, r, c));
            widest[c] = width > widest[c] ? width : widest[c];
        }
    }
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            const char *text = cell(table, r, c);
            if (c == 0) {
                fprintf(stream, "%s%*s", text, widest[c] - width_of(text), "");
            } else {
                fprintf(stream, "  %*s%s", widest[c] - width_of(text), "", text);
            }
        }
        fputc('\n', stream);
    }
}

void cli_table_free(cli_table *table)
{
    free(table->cells);
    memset(table, 0, sizeof *table);
}

/* Bytes of the UTF-8 character that `text` begins with, or 0: overlong forms, surrogates and numbers above 10FFFF are
 * none. */
static size_t character(const unsigned char *text)
{
    static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc0 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    unsigned code = text[0] & (0xffu >> (length + 1));
    if (length < 2 || text[0] > 0xf4) {
        return length == 1;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3f);
    }
    return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : length;
}

static cJSON *json_string(const char *text)
{
    char *copy = allocate(strlen(text) + 1);
    cJSON *json;
    if (!copy) {
        return NULL;
    }
    strcpy(copy, text);
    for (unsigned char *at = (unsigned char *)copy; *at;) {
        const size_t length = character(at);
        if (!length) {
            *at = '?';
        }
        at += length ? length : 1;
    }
    json = cJSON_CreateString(copy);
    free(copy);
    return json;
}

void cli_json_text(cJSON *object, const char *key, const char *text)
{
    cJSON_AddItemToObject(object, key, json_string(text));
}

void cli_json_add_text(cJSON *array, const char *text)
{
    cJSON_AddItemToArray(array, json_string(text));
}

int cli_print_json(cJSON *json)
{
    char *text = lacks_memory ? NULL : cJSON_Print(json);
    cJSON_Delete(json);
    if (!text) {
        lacks_memory = lacks_json = true;
        return CLI_FAILED;
    }
    puts(text);
    cJSON_free(text);
    return CLI_OK;
}
