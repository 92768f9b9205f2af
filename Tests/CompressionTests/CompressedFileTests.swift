import Foundation
import SystemPackage
import Testing

@testable import Compression

@Suite("compressed files")
struct CompressedFileTests {
    @Test(
        "a file of several blocks is one file to its format's own program and to us, with the sizes and checksums that it has",
        arguments: WritableCompression.allCases)
    func blocks(compression: WritableCompression) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path.appending("blocks\(compression.suffix)")
        let file = try CompressedFile(path, compression: compression, named: "blocks")
        var content = ""
        for number in 0..<5 {
            let block = (0..<20_000).map { "<file>/usr/share/\(number)/\($0 &* 7919 % 1000)</file>\n" }.joined()
            file.add(block)
            content += block
            try file.flush(isLast: number == 4)
        }
        let summary = file.finish()

        let plain = directory.path.appending("plain")
        let found = try Compression.decompress(path, to: plain, limit: content.utf8.count, expecting: summary.openChecksum)
        #expect(try plain.bytes == Array(content.utf8))
        #expect(found.size == summary.openSize)
        #expect(try FileChecksum.of(path, .sha256) == summary.checksum)
        #expect(try path.bytes.count == summary.size)

        // Each program leaves what it made beside the file.
        try await Tool.run(compression == .gzip ? "gzip" : "zstd", "-d", "-k", "-q", path.string)
        #expect(try directory.path.appending("blocks").bytes == Array(content.utf8))
    }
}
