import Foundation
import SystemPackage

/// A copy of tests-repo that a test may change and damage.
struct RepositoryCopy {
    let directory: FilePath

    /// Makes it below `parent`, with a repomd.xml like no other, since all that has the same one is the same repository to the service.
    init(in parent: FilePath) throws {
        directory = parent.appending("repo-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        for part in ["Packages", "repodata"] {
            try FileManager.default.copyItem(atPath: Checkout.testsRepo.appending(part).string, toPath: directory.appending(part).string)
        }
        let repomd = String(decoding: try read("repodata/repomd.xml"), as: UTF8.self)
        try write(repomd.replacing(/<revision>.*?<\/revision>/, with: "<revision>\(UUID())</revision>"), to: "repodata/repomd.xml")
    }

    var location: String { directory.string }

    func read(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: directory.appending(path).string)) }

    func write(_ text: String, to path: String) throws { try write(Data(text.utf8), to: path) }

    func write(_ data: Data, to path: String) throws { try data.write(to: URL(filePath: directory.appending(path).string)) }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: directory.appending(path).string) }

    /// Changes the last byte of a file.
    func flip(_ path: String) throws {
        var data = try read(path)
        data[data.index(before: data.endIndex)] ^= 0xFF
        try write(data, to: path)
    }

    /// `sha256:…` of a file.
    func checksum(_ path: String) async throws -> String {
        let sum = try await Program.succeed("sha256sum", directory.appending(path).string)
        return "sha256:\(sum.output.prefix(64))"
    }

    /// Makes the text `primary` the metadata, with a repomd.xml that agrees with it.
    func replacePrimary(by primary: String) async throws {
        try write(primary, to: "repodata/primary.xml")
        let checksum = try await checksum("repodata/primary.xml").dropFirst("sha256:".count)
        try write(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <repomd xmlns="http://linux.duke.edu/metadata/repo">
              <data type="primary">
                <checksum type="sha256">\(checksum)</checksum>
                <location href="repodata/primary.xml"/>
                <size>\(primary.utf8.count)</size>
              </data>
            </repomd>
            """, to: "repodata/repomd.xml")
    }

    /// Makes the metadata anew from the files that are there, but for those that match `excluded`.
    func index(excluding excluded: String) async throws {
        try await Program.succeed("createrepo_c", "--quiet", "--no-database", "--excludes", excluded, directory.string)
    }
}
