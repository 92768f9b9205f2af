import Compression
import SystemPackage
import Testing

@Suite("file checksums")
struct FileChecksumTests {
    @Test("each algorithm agrees with its program", arguments: Checksum.Algorithm.allCases)
    func algorithms(algorithm: Checksum.Algorithm) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("x", (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let program = try await Tool.run("\(algorithm.rawValue)sum", file.string)
        #expect(try FileChecksum.of(file, algorithm).hex == program.output.prefix { $0 != " " })
    }

    @Test("a file with another checksum is told by the name it was given")
    func mismatch() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("x", "content")
        try FileChecksum.verify(file, is: try FileChecksum.of(file, .sha256))
        let error = #expect(throws: RepodataError.self) {
            try FileChecksum.verify(file, is: Checksum(.sha256, hex: String(repeating: "0", count: 64)), named: "Packages/x.rpm")
        }
        #expect(error?.code == .checksumMismatch)
        #expect(error?.message.hasPrefix("Packages/x.rpm has the checksum sha256:ed7002b4") == true)
    }
}
