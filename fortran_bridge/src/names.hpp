// Lists of names in one string, as hosts write them.
#pragma once

#include <string>
#include <vector>

namespace hybrid {

// The parts between commas, without blanks around them.
std::vector<std::string> split(const std::string &text);

std::string joined(const std::vector<std::string> &names, const char *separator = ",");

}  // namespace hybrid
