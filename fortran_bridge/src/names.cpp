#include "names.hpp"

#include <sstream>

namespace hybrid {

std::vector<std::string> split(const std::string &text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    const auto first = part.find_first_not_of(' ');
    const auto last = part.find_last_not_of(' ');
    parts.push_back(first == std::string::npos ? "" : part.substr(first, last - first + 1));
  }
  return parts;
}

std::string joined(const std::vector<std::string> &names, const char *separator) {
  std::string text;
  for (const auto &name : names) text += (text.empty() ? "" : separator) + name;
  return text;
}

}  // namespace hybrid
