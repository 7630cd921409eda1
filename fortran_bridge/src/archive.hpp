// The archive: a zip file that TorchScript reads too, with our manifest and hashes inside.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "large_pages.hpp"
#include "zip_places.hpp"

namespace hybrid {

// What reading an archive of b bytes may cost: entries are hashed as they unfold, piece by piece,
// so that memory stays below b + 8 b for the list of entries + 256 MiB for the two JSON entries of
// at most 4 MiB each, and time below that of unfolding 8 b + 16 MiB.
constexpr uint64_t most_unfolding = 8;
constexpr uint64_t unfolding_allowance = uint64_t{1} << 24;

// Where an entry is found: its number in the zip file, and where its content begins in the file's
// bytes, or `no_place`.
struct EntryPlace {
  uint64_t index;
  uint64_t first;
  uint64_t size;
};

using FileBytes = std::vector<char, LargePages<char>>;

struct Archive {
  FileBytes bytes;       // the whole file, as verified; engines read this copy
  std::string manifest;  // text of hybrid.json
  std::map<std::string, EntryPlace> entries;
};

// Contents of the entries of a verified archive, which must live longer. What is stored is not
// copied; what is deflated is unfolded when it is asked for, and kept.
class EntryReader {
 public:
  explicit EntryReader(const Archive &archive) : archive_(&archive) {}

  // False if there is no entry of this name.
  bool find(const std::string &name, std::string_view &content);

 private:
  const Archive *archive_;
  std::map<std::string, std::vector<char>> unfolded_;
};

// Reads the file once, checks the SHA-256 of every entry, and returns what was checked.
Archive read_archive(const std::string &path);

// The same from the bytes of a file; `label` stands for its path in messages.
Archive read_archive(FileBytes bytes, const std::string &label);

}  // namespace hybrid
