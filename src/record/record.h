/* record.h - all of the record layer for those who sit on it (tls/): from bytes to messages, from messages to bytes. */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "record/arrive.h"
#include "record/out.h"

#endif
