#include "archive.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "error.hpp"
#include "json_text.hpp"
#include "zip_reader.hpp"

namespace hybrid {

namespace {

constexpr const char *manifest_name = "extra/hybrid.json";
constexpr const char *hashes_name = "extra/hybrid.sha256.json";

FileBytes read_file(const std::string &path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw Error(HYBRID_ERROR_FILE, path + ": expected an archive file, got a folder");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto end = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (!file || end < 0)
    throw Error(HYBRID_ERROR_FILE, path + ": expected a readable archive file, got '" +
                                       std::strerror(errno ? errno : ENOENT) + "'; check the path");
  FileBytes bytes(static_cast<size_t>(end));
  file.seekg(0);
  if (!file.read(bytes.data(), end))
    throw Error(HYBRID_ERROR_FILE, path + ": could not be read to its end");
  return bytes;
}

std::string_view text_of(const FileBytes &bytes) { return {bytes.data(), bytes.size()}; }

ZipReader reader(const std::string &label, const FileBytes &bytes) {
  return {label, text_of(bytes), most_unfolding * bytes.size() + unfolding_allowance};
}

using Hashes = std::map<std::string, std::string>;

// What the archive says that its entries must hash to; none without a list.
std::optional<Hashes> expected_hashes(const std::string &label, ZipReader &zip) {
  std::optional<Hashes> expected;
  for (uint64_t i = 0; i < zip.count(); ++i) {
    if (zip.name(i) != hashes_name) continue;
    if (expected) throw Error(HYBRID_ERROR_ARCHIVE, label + ": two lists of hashes");
    try {
      expected = parse_json(zip.read(i, true).content).at("entries").get<Hashes>();
    } catch (const nlohmann::json::exception &) {
      throw Error(HYBRID_ERROR_ARCHIVE, label + ": the list of hashes does not read as one");
    }
  }
  return expected;
}

void verify(const std::string &label, const std::string &name, const std::string &hash,
            const Hashes &expected) {
  const auto entry = expected.find(name);
  if (entry == expected.end())
    throw Error(HYBRID_ERROR_ARCHIVE, label + ": entry " + printable(name) +
                                          " is not in the list of hashes; it was added after " +
                                          "the export: do not use this file");
  if (entry->second != hash)
    throw Error(HYBRID_ERROR_ARCHIVE, label + ": entry " + printable(name) + ": expected SHA-256 " +
                                          printable(entry->second) + ", got " + hash +
                                          "; the file was changed after the export");
}

}  // namespace

Archive read_archive(const std::string &path) { return read_archive(read_file(path), path); }

Archive read_archive(FileBytes bytes, const std::string &label) {
  Archive archive;
  archive.bytes = std::move(bytes);
  ZipReader zip = reader(label, archive.bytes);
  const auto expected = expected_hashes(label, zip);
  for (uint64_t i = 0; i < zip.count(); ++i) {
    const std::string name = zip.name(i);
    if (!expected || name == hashes_name) continue;
    const auto hash = expected->find(name);
    const bool is_manifest = name == manifest_name;
    // What has the hash that is expected needs no other check.
    const uint64_t place =
        is_manifest || hash == expected->end() ? no_place : zip.find(i, hash->second);
    if (place == no_place) {
      auto entry = zip.read(i, is_manifest);
      verify(label, name, entry.hash, *expected);
      if (is_manifest) archive.manifest = std::move(entry.content);
    }
    if (!archive.entries.emplace(name, EntryPlace{i, place, zip.size(i)}).second)
      throw Error(HYBRID_ERROR_ARCHIVE, label + ": entry " + printable(name) + " appears twice");
  }
  if (!expected || archive.manifest.empty())
    throw Error(HYBRID_ERROR_ARCHIVE,
                label + ": expected " + manifest_name + " and " + hashes_name +
                    " inside, got a zip file without them; a plain TorchScript file must be " +
                    "exported with hybrid.export first");
  for (const auto &[name, hash] : *expected)
    if (!archive.entries.count(name))
      throw Error(HYBRID_ERROR_ARCHIVE, label + ": entry " + printable(name) + " is missing");
  return archive;
}

bool EntryReader::find(const std::string &name, std::string_view &content) {
  const auto entry = archive_->entries.find(name);
  if (entry == archive_->entries.end()) return false;
  const auto &[index, first, size] = entry->second;
  if (first != no_place) {
    content = text_of(archive_->bytes).substr(first, size);
    return true;
  }
  const auto [kept, is_new] = unfolded_.try_emplace(name, size);
  auto &bytes = kept->second;
  if (is_new) reader(name, archive_->bytes).unfold(index, bytes.data(), size);
  content = {bytes.data(), bytes.size()};
  return true;
}

}  // namespace hybrid
