import CXML2
import Compression
import Glibc

/// The text of an element as it is written in a document. It may contain character references, CDATA
/// sections and comments.
public enum XMLText {
    /// Calls `body` with the bytes that `written` stands for. Returns `nil` if `written` is not
    /// well-formed.
    ///
    /// Nearly all texts have no markup. Such a text is passed to `body` itself, without parsing.
    /// - Parameter body: a function that gets the bytes, which it may not keep.
    public static func withPlain<R>(_ written: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R? {
        guard let start = written.baseAddress else { return try body(written) }
        let hasMarkup =
            memchr(start, Int32(UInt8(ascii: "&")), written.count) != nil || memchr(start, Int32(UInt8(ascii: "<")), written.count) != nil
        return hasMarkup ? try parsed(written).map { try $0.withUnsafeBytes(body) } : try body(written)
    }

    private static func parsed(_ written: UnsafeRawBufferPointer) -> [UInt8]? {
        _ = CreaterepoLibrary.isReady
        let element = Array("<t>".utf8) + written + Array("</t>".utf8)
        guard let count = Int32(exactly: element.count) else { return nil }
        let options = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
        let document = element.withUnsafeBytes {
            xmlReadMemory($0.baseAddress?.assumingMemoryBound(to: CChar.self), count, nil, "UTF-8", options)
        }
        guard let document else { return nil }
        defer { xmlFreeDoc(document) }
        guard let content = xmlNodeGetContent(xmlDocGetRootElement(document)) else { return nil }
        defer { free(content) }  // xmlFree, which Swift cannot call, is free unless a program replaced it
        return Array(UnsafeBufferPointer(start: content, count: strlen(UnsafeRawPointer(content).assumingMemoryBound(to: CChar.self))))
    }
}
