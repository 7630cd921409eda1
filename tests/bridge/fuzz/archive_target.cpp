// libFuzzer target: whatever bytes stand in place of an archive, they are refused or read whole.
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "archive.hpp"
#include "checked_message.hpp"
#include "json_text.hpp"

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

namespace {

constexpr size_t local_header = 30;

uint32_t number(const uint8_t *at, int bytes) {
  uint32_t value = 0;
  for (int i = bytes; i-- > 0;) value = value << 8 | at[i];
  return value;
}

// Brings the checksums of stored entries up to date, else hardly any mutant is read past one.
void renew_checksums(uint8_t *data, size_t size) {
  size_t at = 0;
  while (at + local_header <= size && std::memcmp(data + at, "PK\3\4", 4) == 0) {
    const size_t content =
        at + local_header + number(data + at + 26, 2) + number(data + at + 28, 2);
    const size_t length = number(data + at + 18, 4);
    if (content > size || length > size - content) return;
    const auto sum = static_cast<uint32_t>(crc32(0, data + content, static_cast<uInt>(length)));
    for (int i = 0; i < 4; ++i) data[at + 14 + i] = static_cast<uint8_t>(sum >> 8 * i);
    for (size_t central = content; central + 46 <= size; ++central)
      if (std::memcmp(data + central, "PK\1\2", 4) == 0 && number(data + central + 42, 4) == at)
        std::memcpy(data + central + 16, data + at + 14, 4);
    at = content + length;
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  const size_t mutated = LLVMFuzzerMutate(data, size, most);
  if (seed % 4) renew_checksums(data, mutated);
  return mutated;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const hybrid::FileBytes bytes(data, data + size);
  try {
    const auto archive = hybrid::read_archive(bytes, "mutant");
    if (archive.bytes != bytes || archive.manifest.empty()) std::abort();
    if (archive.manifest.size() > hybrid::largest_json) std::abort();
  } catch (const hybrid::Error &error) {
    check_message(error);
  }
  return 0;
}
