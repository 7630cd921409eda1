// Messages to the host.
#pragma once

#include <string>

#include "hybrid.h"

namespace hybrid {

void log_to(hybrid_log_function function, void *context);

// Says it to the host, if it wants to hear.
void log(hybrid_log_level level, const std::string &message);

}  // namespace hybrid
