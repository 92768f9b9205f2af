import Compression
import Glibc
import SystemPackage
import Testing

@Suite("a mapped file")
struct MappedFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private static func content(of file: MappedFile) -> [UInt8] { withExtendedLifetime(file) { Array(file.bytes) } }

    @Test("is mapped once for all its names")
    func names() throws {
        let path = try directory.file("primary.xml", Array("<metadata/>".utf8))
        let other = FilePath(path.string + ".link")
        try #require(link(path.string, other.string) == 0)
        let mapped = try MappedFile.shared(path)
        #expect(try MappedFile.shared(path) === mapped)
        #expect(try MappedFile.shared(other) === mapped)
    }

    @Test("is mapped anew when another file has its name")
    func replaced() throws {
        let path = try directory.file("primary.xml", Array("old".utf8))
        let old = try MappedFile.shared(path)
        let next = try directory.file("next", Array("new".utf8))
        try #require(rename(next.string, path.string) == 0)
        let new = try MappedFile.shared(path)
        #expect(Self.content(of: old) == Array("old".utf8))
        #expect(Self.content(of: new) == Array("new".utf8))
    }

    @Test("is not kept when nobody uses it")
    func unused() throws {
        let path = try directory.file("primary.xml", Array("<metadata/>".utf8))
        weak var mapped = try MappedFile.shared(path)
        #expect(mapped == nil)
        #expect(Self.content(of: try MappedFile.shared(path)) == Array("<metadata/>".utf8))
    }

    @Test("is shared by threads that map and release it at the same time")
    func threads() async throws {
        let content = Array("<metadata/>".utf8)
        let path = try directory.file("primary.xml", content)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { try (0..<2000).allSatisfy { _ in Self.content(of: try MappedFile.shared(path)) == content } }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
