import Compression
import Foundation
import SystemPackage
import Testing

@testable import Repodata

@Suite("Metadata from an RPM's header alone")
struct PackageFragmentsTests {
    /// The bytes of a package's file up to the end of its header.
    private func header(_ file: FilePath) throws -> [UInt8] {
        let descriptor = try FileDescriptor.open(file, .readOnly)
        return try descriptor.closeAfter { try RPMHeaderExtent.contents(of: descriptor, named: "it") }
    }

    @Test("filled in, they are what createrepo_c writes for the file, source packages too, and survive being stored")
    func same() async throws {
        let sample = try await SampleRepository.shared
        let index = try MetadataIndex(opening: sample.metadata)
        for record in sample.records {
            let bytes = try header(sample.path.appending(record.location))
            let content = try RPMHeaderContent(reading: bytes, named: "it")
            let extent = try RPMHeader(reading: sample.path.appending(record.location)).headerRange
            #expect(bytes.count == extent.upperBound)
            #expect(content.nevra == record.nevra)
            let fragments = try #require(PackageFragments(serialized: content.fragments.serialized))
            let file = PackageFragments.File(
                pkgid: record.pkgid, size: record.size, headerStart: extent.lowerBound, href: record.location)
            let expected = try index.chunks(of: record.pkgid)
            for (document, chunk) in [
                (MetadataDocument.primary, expected.primary), (.filelists, expected.filelists), (.other, expected.other),
            ] {
                var found: [UInt8] = []
                fragments.append(document, for: file, to: &found)
                #expect(trimmed(found) == trimmed(chunk))
            }
        }
    }

    private func trimmed(_ bytes: [UInt8]?) -> String {
        String(decoding: bytes ?? [], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("a path is escaped as XML needs it")
    func escaped() async throws {
        let sample = try await SampleRepository.shared
        let content = try RPMHeaderContent(reading: try header(sample.path.appending(sample.packages[0])), named: "it")
        var found: [UInt8] = []
        let file = PackageFragments.File(pkgid: sample.records[0].pkgid, size: 1, headerStart: 2, href: "a&b<\"c>.rpm")
        content.fragments.append(.primary, for: file, to: &found)
        #expect(String(decoding: found, as: UTF8.self).contains("<location href=\"a&amp;b&lt;&quot;c&gt;.rpm\"/>"))

        let elsewhere = PackageFragments.File(
            pkgid: sample.records[0].pkgid, size: 1, headerStart: 2, href: "a.rpm", base: "https://example.com/a&b/")
        found = []
        content.fragments.append(.primary, for: elsewhere, to: &found)
        #expect(
            String(decoding: found, as: UTF8.self).contains("<location href=\"a.rpm\" xml:base=\"https://example.com/a&amp;b/\"/>"))
    }

    @Test("what says where the header ends needs no more bytes than it has to")
    func extent() async throws {
        let sample = try await SampleRepository.shared
        let bytes = try sample.path.appending(sample.packages[0]).bytes
        let range = try RPMHeader(reading: sample.path.appending(sample.packages[0])).headerRange
        for (count, needed) in [(0, 112), (3, 112), (111, 112), (112, range.lowerBound + 16), (range.upperBound - 1, range.upperBound)] {
            #expect(try RPMHeaderExtent.find(in: Array(bytes.prefix(count)), named: "it") == .needs(needed))
        }
        #expect(try RPMHeaderExtent.find(in: bytes, named: "it") == .complete(RPMHeaderExtent(range: range)))
        #expect(try RPMHeaderExtent.start(in: Array(bytes.prefix(112)), named: "it") == range.lowerBound)
    }

    @Test("a header of which one bit is another is refused, whichever bit it is")
    func flipped() async throws {
        let sample = try await SampleRepository.shared
        let file = sample.path.appending(sample.packages[0])
        let bytes = try header(file)
        let range = try RPMHeader(reading: file).headerRange
        for position in stride(from: range.lowerBound, to: range.upperBound, by: 37) {
            var damaged = bytes
            damaged[position] ^= 0x10
            #expect(throws: RepodataError.self, "byte \(position)") { try RPMHeaderContent(reading: damaged, named: "it") }
        }
    }

    @Test("stored fragments that are not whole are none")
    func damagedFragments() async throws {
        let sample = try await SampleRepository.shared
        let stored = try RPMHeaderContent(reading: try header(sample.path.appending(sample.packages[0])), named: "it").fragments.serialized
        for count in [0, 3, 4, 20, 90, stored.count - 1] { #expect(PackageFragments(serialized: Array(stored.prefix(count))) == nil) }
        #expect(PackageFragments(serialized: stored + [0]) == nil)
    }
}
