import Compression
import Foundation
import SystemPackage
import Testing

@testable import Repodata

@Suite("A repository as a layer over an older revision")
struct LayerTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A package with the text of its elements. The checksum depends on the number only.
    private struct Package: Hashable {
        let number: Int
        var text = ""

        var pkgid: String { String(repeating: "0", count: 56) + String(number + 0x1000_0000, radix: 16) }
    }

    private static func document(_ document: MetadataDocument, _ packages: [Package], count: Int? = nil) -> String {
        let elements = packages.map { package in
            document == .primary
                ? "<package type=\"rpm\"><name>p\(package.number)</name><checksum type=\"sha256\" pkgid=\"YES\">\(package.pkgid)</checksum>"
                    + "<summary>\(package.text)</summary></package>\n"
                : "<package pkgid=\"\(package.pkgid)\" name=\"p\(package.number)\"><file>/\(package.text)</file></package>\n"
        }
        return document.opening(packageCount: count ?? packages.count) + elements.joined() + "</\(document.rootElement)>\n"
    }

    private func write(_ documents: [MetadataDocument: String], to name: String) throws -> RepositoryMetadata {
        let target = try directory.directory(name)
        for (document, text) in documents {
            try Data(text.utf8).write(to: URL(fileURLWithPath: target.appending(document.fileName).string))
        }
        return RepositoryMetadata(
            id: Checksum(.sha256, hex: String(repeating: "1", count: 64)), directory: target, hasFilelists: documents[.filelists] != nil,
            hasOther: documents[.other] != nil)
    }

    private func documents(_ packages: [Package]) -> [MetadataDocument: String] {
        MetadataDocument.allCases.reduce(into: [:]) { $0[$1] = Self.document($1, packages) }
    }

    /// Makes the documents a layer. Returns `nil` if a document cannot be one.
    private func layer(_ documents: [MetadataDocument: String], over base: RepositoryMetadata, _ name: String) throws -> RepositoryMetadata?
    {
        let full = try write(documents, to: name)
        let opened = try #require(RepositoryBase(opening: base))
        for document in documents.keys
        where !opened.writeChanges(
            of: document, from: full.directory.appending(document.fileName), limit: .max, to: full.directory)
        { return nil }
        #expect(try opened.linkDocuments(into: full.directory))
        return RepositoryMetadata(
            id: full.id, directory: full.directory, hasFilelists: full.hasFilelists, hasOther: full.hasOther,
            base: try RepositoryMetadata.base(of: full.directory))
    }

    private func base(_ packages: [Package], _ name: String = "base") throws -> RepositoryMetadata {
        let metadata = try write(documents(packages), to: name)
        _ = try MetadataIndex(opening: metadata)
        return metadata
    }

    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 31
        }
    }

    @Test("it has the bytes and the packages of the whole revision, after any changes", arguments: 1...25)
    func randomChanges(_ seed: UInt64) throws {
        var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
        let old = (0..<120).map { Package(number: $0, text: "text \($0)") }
        let base = try base(old)
        var packages = old
        for revision in 0..<4 {
            for _ in 0..<Int.random(in: 0...2, using: &dice) {
                let place = Int.random(in: 0..<packages.count, using: &dice)
                switch Int.random(in: 0...4, using: &dice) {
                case 0: packages.remove(at: place)
                case 1: packages[place].text += " changed"
                case 2: packages[place] = Package(number: 1000 + 10 * revision + place * 100, text: "new")
                case 3: packages.insert(Package(number: 5_000_000 + revision * 1000 + place, text: "inserted"), at: place)
                default: packages.append(packages.remove(at: place))
                }
            }
            var texts = documents(packages)
            // A document may change without the others, and its elements may have another order.
            if seed.isMultiple(of: 3) { texts[.other] = Self.document(.other, packages.reversed()) }
            let whole = try write(texts, to: "whole-\(revision)")
            let layer = try #require(try layer(texts, over: base, "layer-\(revision)"), "seed \(seed), revision \(revision)")
            for (document, text) in texts {
                let old = try MappedFile(base.directory.appending(document.fileName))
                let changes = try #require(try layer.changes(of: document))
                #expect(changes.document(over: old) == Array(text.utf8), "seed \(seed), revision \(revision)")
            }
            let (expected, found) = (try MetadataIndex(opening: whole), try MetadataIndex(opening: layer))
            #expect(expected.count == found.count)
            for package in Set(old + packages) {
                let pkgid = Checksum(.sha256, hex: package.pkgid)
                #expect(expected.contains(pkgid) == found.contains(pkgid))
                if expected.contains(pkgid) { #expect(try expected.chunks(of: pkgid) == found.chunks(of: pkgid)) }
            }
        }
    }

    @Test("the comparison does not depend on the pieces in which a document arrives", arguments: 1...20)
    func pieces(_ seed: UInt64) throws {
        var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
        let old = (0..<60).map { Package(number: $0, text: String(repeating: "text \($0) ", count: Int.random(in: 1...40, using: &dice))) }
        let base = try base(old)
        var packages = old
        for _ in 0..<5 {
            let place = Int.random(in: 0..<packages.count, using: &dice)
            switch Int.random(in: 0...3, using: &dice) {
            case 0: packages.remove(at: place)
            case 1: packages[place].text = String(packages[place].text.dropLast())
            case 2: packages.insert(Package(number: 5_000_000 + place, text: "inserted"), at: place)
            default: packages.append(packages.remove(at: place))
            }
        }
        let index = try #require(IndexTable(opening: MetadataIndex.file(in: base.directory), documentSizes: try Self.sizes(of: base)))
        for document in MetadataDocument.allCases {
            let compared = try #require(
                ComparedBase(try MappedFile(base.directory.appending(document.fileName)), document, in: index))
            let bytes = Array(Self.document(document, packages).utf8)
            var comparison = DocumentComparison(with: compared, document, most: 6)
            #expect(bytes.withUnsafeBytes { comparison.add($0) })
            let whole = comparison.finish()
            let expected = try #require(whole)
            for largest in [1, 2, 7, 100, 1000] {
                var comparison = DocumentComparison(with: compared, document, most: 6)
                var rest = bytes[...]
                while !rest.isEmpty {
                    let piece = Array(rest.prefix(Int.random(in: 1...largest, using: &dice)))
                    rest = rest.dropFirst(piece.count)
                    #expect(piece.withUnsafeBytes { comparison.add($0) })
                }
                let pieced = comparison.finish()
                let found = try #require(pieced, "seed \(seed), pieces of up to \(largest)")
                #expect(found.runs == expected.runs)
                #expect(found.document == expected.document)
                #expect(found.gone.sorted() == expected.gone.sorted())
                #expect(found.beginning == expected.beginning)
                #expect(found.end == expected.end)
            }
        }
    }

    private static func sizes(of metadata: RepositoryMetadata) throws -> [Int] {
        MetadataIndex.sizes(of: try MetadataIndex.documents(of: metadata))
    }

    @Test("the new elements of a revision are found again in the next one")
    func newElements() throws {
        let old = (0..<60).map { Package(number: $0, text: "text") }
        let base = try base(old)
        var first = old
        for number in [3, 9, 20] { first[number].text = "first" }
        var second = first
        second[9].text = "second"
        second.insert(Package(number: 500), at: 1)
        second.remove(at: second.count - 1)
        let layers = try [("first", first), ("second", second)].map {
            try #require(try layer(documents($0.1), over: base, $0.0)?.changes(of: .primary))
        }
        #expect(layers[1].newElements(alsoIn: layers[0]) == [nil, 0, nil, 2] as [Int?])
        #expect(layers[0].newElements(alsoIn: nil) == [nil, nil, nil] as [Int?])
        let text = Self.document(.primary, [Package(number: 500), second[10]], count: 60)
        #expect(layers[1].newDocument(with: [0, 2]) == Array(text.utf8))
    }

    @Test("an unchanged document costs no new elements")
    func unchanged() throws {
        let packages = (0..<40).map { Package(number: $0) }
        let base = try base(packages)
        var changed = packages
        changed[7].text = "other"
        var texts = documents(packages)
        texts[.primary] = Self.document(.primary, changed)
        let layer = try #require(try layer(texts, over: base, "layer"))
        #expect(try layer.changes(of: .primary).map { [$0.newCount, $0.goneCount, $0.runs.count] } == [1, 1, 3])
        #expect(try layer.changes(of: .filelists).map { [$0.newCount, $0.goneCount, $0.runs.count] } == [0, 0, 1])
        #expect(try layer.directory.names.contains("packages.index"))
    }

    private static let spoiled: [(String, @Sendable (String) -> String)] = [
        (
            "a comment between elements",
            { $0.replacing("</package>\n<package", with: "</package>\n<!-- x --><package", maxReplacements: 1) }
        ),
        ("a comment in a new element", { $0.replacing("text 5<", with: "text <!-- </package> -->5<", maxReplacements: 1) }),
        ("a CDATA section in a new element", { $0.replacing("text 5<", with: "<![CDATA[text]]>5<", maxReplacements: 1) }),
        ("other space between elements", { $0.replacing("</package>\n<package", with: "</package>\n\n<package", maxReplacements: 1) }),
        (
            "a document type declaration",
            { $0.replacing("?>\n<", with: "?>\n<!DOCTYPE metadata [<!ENTITY a \"b\">]>\n<", maxReplacements: 1) }
        ),
        ("another namespace", { $0.replacing("linux.duke.edu", with: "example.org", maxReplacements: 1) }),
        ("a number of packages that is none", { $0.replacing("packages=\"60\"", with: "packages=\"many\"") }),
        ("text after the root element", { $0 + "x" }),
        ("a missing end", { String($0.dropLast(3)) }),
        ("an element in an element", { $0.replacing("text 5<", with: "text <package>5<", maxReplacements: 1) }),
        ("a package of no use", { $0.replacing(Package(number: 5).pkgid, with: "none", maxReplacements: 1) }),
        ("a package twice", { $0.replacing(Package(number: 5).pkgid, with: Package(number: 6).pkgid, maxReplacements: 1) }),
        ("too many changes", { $0.replacing("text", with: "texts") }),
    ]

    @Test("a revision with anything unusual is no layer", arguments: spoiled.indices)
    func unusual(_ number: Int) throws {
        let packages = (0..<60).map { Package(number: $0, text: "text \($0)") }
        let base = try base(packages)
        for document in MetadataDocument.allCases {
            var texts = documents(packages)
            let text = Self.spoiled[number].1(texts[document]!)
            guard text != texts[document] else { continue }
            texts[document] = text
            #expect(try layer(texts, over: base, "layer-\(document)") == nil, "\(Self.spoiled[number].0) in \(document)")
        }
    }

    @Test("a base without an index, and a layer, are no base")
    func noBase() throws {
        let packages = (0..<30).map { Package(number: $0) }
        let base = try write(documents(packages), to: "base")
        #expect(RepositoryBase(opening: base) == nil)
        _ = try MetadataIndex(opening: base)
        let layer = try #require(try layer(documents(packages), over: base, "layer"))
        #expect(RepositoryBase(opening: layer) == nil)
    }

    @Test("it survives the removal of its base")
    func baseRemoved() throws {
        let packages = (0..<30).map { Package(number: $0, text: "old") }
        let base = try base(packages)
        var changed = packages
        changed[3].text = "new"
        let layer = try #require(try layer(documents(changed), over: base, "layer"))
        try FileManager.default.removeItem(atPath: base.directory.string)
        let index = try MetadataIndex(opening: layer)
        for package in changed {
            let chunks = try index.chunks(of: Checksum(.sha256, hex: package.pkgid))
            #expect(String(decoding: chunks.primary, as: UTF8.self).contains(package.text))
        }
    }

    @Test("damaged in any way, it is noticed")
    func damaged() throws {
        let packages = (0..<30).map { Package(number: $0, text: "old") }
        let base = try base(packages)
        var changed = packages
        changed[3].text = "new"
        let layer = try #require(try layer(documents(changed), over: base, "layer"))
        let file = layer.directory.appending("filelists.changes")
        let good = try file.bytes
        for position in stride(from: 0, to: good.count, by: 3) {
            var bad = good
            bad[position] ^= 0x21
            try Data(bad).write(to: URL(fileURLWithPath: file.string))
            #expect(throws: RepodataError.self, "byte \(position)") { try RepositoryMetadata.base(of: layer.directory) }
        }
        for length in [0, 11, good.count / 2, good.count - 1] {
            try Data(good.prefix(length)).write(to: URL(fileURLWithPath: file.string))
            #expect(throws: RepodataError.self) { try RepositoryMetadata.base(of: layer.directory) }
        }
        try Data(good).write(to: URL(fileURLWithPath: file.string))
        #expect(try RepositoryMetadata.base(of: layer.directory) == base.id)
    }
}
