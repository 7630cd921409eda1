// The archive: a zip file that TorchScript reads too, with our manifest and hashes inside.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hybrid {

// What reading an archive of b bytes may cost: entries are hashed as they unfold, piece by piece,
// so that memory stays below b + 8 b for the list of entries + 256 MiB for the two JSON entries of
// at most 4 MiB each, and time below that of unfolding 8 b + 16 MiB.
constexpr uint64_t most_unfolding = 8;
constexpr uint64_t unfolding_allowance = uint64_t{1} << 24;

struct Archive {
  std::vector<char> bytes;  // the whole file, as verified; engines read this copy
  std::string manifest;     // text of hybrid.json
};

// Reads the file once, checks the SHA-256 of every entry, and returns what was checked.
Archive read_archive(const std::string &path);

// The same from the bytes of a file; `label` stands for its path in messages.
Archive read_archive(std::vector<char> bytes, const std::string &label);

}  // namespace hybrid
