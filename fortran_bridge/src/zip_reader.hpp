// Entries of a zip file in memory, with their SHA-256.
#pragma once

#include <zip.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "zip_places.hpp"

namespace hybrid {

// The file must live longer; `label` stands for its path in messages.
class ZipReader {
 public:
  struct Entry {
    std::string hash;
    std::string content;  // empty unless it was asked for
    uint64_t size = 0;
  };

  // Entries may unfold to `allowance` bytes, all together.
  ZipReader(std::string label, std::string_view file, uint64_t allowance);

  uint64_t count() const;

  // Without the folder, named after the file that it was first saved to, in which TorchScript puts
  // all entries.
  std::string name(uint64_t index) const;

  // Of the content.
  uint64_t size(uint64_t index) const;

  // Reads and hashes an entry through libzip; its content is kept on request.
  Entry read(uint64_t index, bool keep);

  // The content of an entry again, which `read` has found to be of this size.
  void unfold(uint64_t index, char *to, uint64_t size);

  // Where bytes with the SHA-256 that the entry must have lie in the file; `no_place` where an
  // entry is deflated or damaged. Costs a fraction of `read`.
  uint64_t find(uint64_t index, const std::string &hash);

 private:
  struct Discard {
    void operator()(zip_t *zip) const { zip_discard(zip); }
  };

  zip_stat_t stat(uint64_t index) const;
  void spend(uint64_t length, uint64_t index);

  std::string label_;
  std::string_view file_;
  std::unique_ptr<zip_t, Discard> zip_;
  std::vector<uint64_t> places_;
  uint64_t allowance_;
};

}  // namespace hybrid
