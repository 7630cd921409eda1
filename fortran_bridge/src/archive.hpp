// The archive: a zip file that TorchScript reads too, with our manifest and hashes inside.
#pragma once

#include <string>
#include <vector>

namespace hybrid {

struct Archive {
  std::vector<char> bytes;  // the whole file, as verified; engines read this copy
  std::string manifest;     // text of hybrid.json
};

// Reads the file once, checks the SHA-256 of every entry, and returns what was checked.
Archive read_archive(const std::string &path);

}  // namespace hybrid
