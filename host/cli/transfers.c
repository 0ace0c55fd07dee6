/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session transfers between host and accelerator in every run, as table and as JSON. */
#include "cli/transfers.h"

#include <stdio.h>

void cli_print_transfers(const bdnn_session *session, long long batch)
{
    cli_table table = {0};
    bdnn_transfer t;
    uint64_t bytes = 0;
    size_t count = 0;
    cli_table_row(&table, "transfer|value|layer|kB an image");
    for (; bdnn_session_transfer(session, count, &t, NULL) == BDNN_OK; count++) {
        cli_table_row(&table, "%s|%.60s|%.60s|%.1f", t.to_device ? "to device" : "from device", t.value, t.layer,
                      1e-3 * (double)t.bytes / (double)batch);
        bytes += t.bytes;
    }
    cli_table_row(&table, "%zu in all|||%.1f", count, 1e-3 * (double)bytes / (double)batch);
    if (count > 0) {
        printf("\n");
        cli_table_print(&table, stdout);
    }
    cli_table_free(&table);
}

void cli_add_transfers(cJSON *json, const bdnn_session *session)
{
    cJSON *list = bdnn_session_transfer_count(session) > 0 ? cJSON_AddArrayToObject(json, "transfers") : NULL;
    bdnn_transfer t;
    for (size_t i = 0; bdnn_session_transfer(session, i, &t, NULL) == BDNN_OK; i++) {
        cJSON *item = cJSON_CreateObject();
        cli_json_text(item, "value", t.value);
        cli_json_text(item, "layer", t.layer);
        cJSON_AddBoolToObject(item, "to_device", t.to_device);
        cJSON_AddNumberToObject(item, "bytes", (double)t.bytes);
        cJSON_AddItemToArray(list, item);
    }
}
