// Which device a process of a parallel job uses.
#pragma once

#include <string>

namespace hybrid {

// Rank of this process on its node, from the environment of the launcher; 0 without one.
int local_rank();

// "cuda:1": rank on the node modulo the number of devices; "cpu" without devices.
std::string local_device(const std::string &kind, int count);

}  // namespace hybrid
