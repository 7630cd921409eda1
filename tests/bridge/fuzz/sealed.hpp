// Archives with right hashes around any manifest.
#pragma once

#include <string>
#include <vector>

std::vector<char> sealed(const std::string &manifest);
