import Compression
import Repodata
import SystemPackage

/// The prolog is the part of a metadata document before the root element.
///
/// Entities of a document type declaration can make a small document expand without end. So a document
/// with such a declaration is refused before a parser sees it. The declaration may stand only before
/// the root element (XML 1.0, section 2.8), so the rest of the document is not checked.
///
/// The encoding and the prefix of rpm's own elements are checked here too. So a document that is
/// accepted for resolving can also be written into a compose.
enum MetadataProlog {
    private static let longest = 64 * 1024

    /// Throws unless `document` begins as an XML document without a document type declaration, with a root
    /// element of rpm-md.
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

    /// Throws if rpm's elements have another prefix than `rpm`.
    ///
    /// libsolv and libcreaterepo_c recognize the elements by this prefix. With another one, packages would
    /// lose their dependencies.
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
