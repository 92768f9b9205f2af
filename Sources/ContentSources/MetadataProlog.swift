import Repodata
import SystemPackage

/// What stands before the root element of a metadata document.
///
/// Entities of a document type declaration can make a small document expand without end, so a document with one is refused before any parser
/// sees it. The declaration may stand only before the root element (XML 1.0, section 2.8), so nothing else needs to be read. The encoding is
/// checked here, too, and the prefix of rpm's own elements: what resolving accepts, a compose can write.
enum MetadataProlog {
    private static let longest = 64 * 1024

    /// Throws unless `document` begins as an XML document without declaration whose root element is one of rpm-md.
    static func check(_ document: FilePath, named name: String) throws(RepodataError) {
        let bytes: [UInt8]
        do {
            bytes = try Errno.only {
                let file = try FileDescriptor.open(document, .readOnly, options: .closeOnExec)
                return try file.closeAfter { try RegularFile.contents(of: file, atMost: longest) }
            }
        } catch {
            throw RepodataError(.io, "\(name): \(error)")
        }
        try check(bytes, named: name)
    }

    static func check(_ start: [UInt8], named name: String) throws(RepodataError) {
        try XMLEncoding.check(start, named: name)
        var rest = start[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while true {
            rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
            if rest.starts(with: "<?".utf8) {
                rest = try skip(past: "?>", in: rest, name)
            } else if rest.starts(with: "<!--".utf8) {
                rest = try skip(past: "-->", in: rest.dropFirst(4), name)
            } else if rest.starts(with: "<!".utf8) {
                throw RepodataError(.forbidden, "\(name) contains a document type declaration, which is not accepted")
            } else if ["<metadata", "<filelists", "<otherdata"].contains(where: { rest.starts(with: $0.utf8) }) {
                return try checkPrefix(in: rest, name)
            } else {
                throw RepodataError(.malformed, "\(name) does not begin as a document of rpm metadata")
            }
        }
    }

    /// libsolv and libcreaterepo_c know rpm's elements by the prefix `rpm`: with another one, packages would lose their dependencies.
    private static func checkPrefix(in root: ArraySlice<UInt8>, _ name: String) throws(RepodataError) {
        let tag = String(decoding: root.prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self)
        guard let found = tag.firstMatch(of: /\sxmlns:([^\s=]+)\s*=\s*["']http:\/\/linux\.duke\.edu\/metadata\/rpm["']/) else { return }
        let prefix = found.output.1
        guard prefix == "rpm" else {
            throw RepodataError(.unsupported, "\(name) gives rpm's elements the prefix \"\(prefix.prefix(40))\", which only \"rpm\" can be")
        }
    }

    private static func skip(past end: String, in bytes: ArraySlice<UInt8>, _ name: String) throws(RepodataError) -> ArraySlice<UInt8> {
        guard let found = bytes.firstRange(of: end.utf8) else {
            throw RepodataError(.malformed, "\(name) does not begin as a document of rpm metadata")
        }
        return bytes[found.upperBound...]
    }
}
