import CXML2
import Glibc

/// The callbacks for the parts of a document that a ``SAXReader`` reads, in the order of the document.
///
/// They are closures instead of methods of a protocol or class. The compiler specializes closures for
/// the types that are known where they are made, and they are called millions of times.
struct SAXHandler {
    let startElement: (XMLRPCElement) throws(AnswerProblem) -> Void
    let endElement: (XMLRPCElement) throws(AnswerProblem) -> Void
    /// Called with a piece of text, which is valid only during the call.
    let text: (UnsafeBufferPointer<UInt8>) throws(AnswerProblem) -> Void
}

/// A reader of an XML document that arrives in pieces. It uses libxml2's push parser, and calls a
/// ``SAXHandler``.
///
/// It keeps nothing of the document and fetches nothing. It knows only the five entities of XML itself,
/// and refuses a document type declaration.
final class SAXReader {
    private let context: xmlParserCtxtPtr
    /// The names of the elements in libxml2's dictionary. libxml2 stores each name once, so two names can
    /// be compared by their addresses.
    private let names: UnsafeMutableBufferPointer<UnsafePointer<UInt8>?>
    private let handler: SAXHandler
    private var problem: AnswerProblem?
    /// The number of starts and ends of elements that the handler does not see, because the scanner has
    /// read them. See ``skip(declaration:lines:open:isOver:)``.
    private var skipped = (starts: 0, ends: 0)

    init(_ handler: SAXHandler) {
        _ = Self.isPrepared
        self.handler = handler
        var callbacks = xmlSAXHandler()
        callbacks.startElement = { reader, name, _ in SAXReader.of(reader) { $0.start(name) } }
        callbacks.endElement = { reader, name in SAXReader.of(reader) { $0.end(name) } }
        callbacks.characters = { reader, text, count in SAXReader.of(reader) { $0.characters(text, count) } }
        // The same function for both, so that libxml2 does not check which text is blank.
        callbacks.ignorableWhitespace = callbacks.characters
        callbacks.cdataBlock = callbacks.characters
        callbacks.internalSubset = { reader, name, _, _ in SAXReader.of(reader) { $0.documentType(name) } }
        callbacks.initialized = 1
        context = xmlCreatePushParserCtxt(&callbacks, nil, nil, 0, nil)
        xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue))
        names = .allocate(capacity: XMLRPCElement.allCases.count)
        for element in XMLRPCElement.allCases {
            names.initializeElement(at: Int(element.rawValue), to: xmlDictLookup(context.pointee.dict, element.name, -1))
        }
        // Unretained, because only methods of this object use the parser.
        context.pointee.userData = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        if let document = context.pointee.myDoc { xmlFreeDoc(document) }
        xmlFreeParserCtxt(context)
        names.deallocate()
    }

    /// Moves to a place in the document without calling the handler for the part before it.
    ///
    /// - Parameters:
    ///   - declaration: The XML declaration of the document, or empty if the document has none.
    ///   - lines: The number of lines that end before the place.
    ///   - open: The elements that have begun, from the outermost to the innermost.
    ///   - isOver: Whether the document has ended. `open` then has only the root, which has ended as well.
    func skip(declaration: [UInt8], lines: Int, open: [XMLRPCElement], isOver: Bool) throws(AnswerProblem) {
        skipped = (open.count, isOver ? open.count : 0)
        try parse(declaration)
        var rest = lines
        while rest > 0 {
            let count = min(rest, 1 << 16)
            try parse(Array(repeating: UInt8(ascii: "\n"), count: count))
            rest -= count
        }
        for element in open { try parse(Array("<\(element.name)>".utf8)) }
        if isOver { for element in open.reversed() { try parse(Array("</\(element.name)>".utf8)) } }
    }

    private func parse(_ bytes: [UInt8]) throws(AnswerProblem) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(AnswerProblem) in try read(UnsafeRawBufferPointer(bytes)) }
    }

    /// Reads the next piece of the document.
    func read(_ bytes: UnsafeRawBufferPointer) throws(AnswerProblem) {
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, 1 << 20)
            try parse(rest.baseAddress?.assumingMemoryBound(to: CChar.self), count, isLast: false)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Ends the document. Throws `.truncated` when it is not complete.
    func finish() throws(AnswerProblem) { try parse(nil, 0, isLast: true) }

    private func parse(_ bytes: UnsafePointer<CChar>?, _ count: Int, isLast: Bool) throws(AnswerProblem) {
        let status = xmlParseChunk(context, bytes, Int32(count), isLast ? 1 : 0)
        if let problem { throw problem }
        guard status == XML_ERR_OK.rawValue || context.pointee.wellFormed != 0 else { throw complaint(isLast: isLast) }
    }

    private func complaint(isLast: Bool) -> AnswerProblem {
        let code = xmlParserErrors(UInt32(bitPattern: context.pointee.errNo))
        // At the end, an error means that the rest of the document is missing, or that the document never
        // began.
        if isLast { return .truncated }
        let error = context.pointee.lastError
        let place = "line \(error.line)"
        switch code {
        // libxml2 reports an internal error for text that it cannot continue with. The same character causes
        // one code or the other, depending on the lengths of the pieces.
        case XML_ERR_INVALID_ENCODING, XML_ERR_INVALID_CHAR, XML_ERR_INTERNAL_ERROR:
            return .malformed("it has a character that XML does not allow, or is not encoded in UTF-8 (\(place))")
        case XML_ERR_UNDECLARED_ENTITY, XML_WAR_UNDECLARED_ENTITY:
            return .malformed("it refers to an entity that XML-RPC does not have (\(place))")
        default:
            let words = error.message.map {
                Excerpt.of(String(cString: $0).split(separator: "\n").first.map(String.init) ?? "", longest: 120)
            }
            return .malformed("it is not well-formed XML (\(place)\(words.map { ": \($0)" } ?? ""))")
        }
    }

    private static let isPrepared: Bool = {
        xmlInitParser()
        return true
    }()
}

// The functions that libxml2 calls.
extension SAXReader {
    @inline(__always)
    private static func of(_ pointer: UnsafeMutableRawPointer?, _ body: (SAXReader) -> Void) {
        // Without retain and release, because this happens millions of times. The reader lives at least until
        // the parser returns.
        if let pointer { Unmanaged<SAXReader>.fromOpaque(pointer)._withUnsafeGuaranteedRef(body) }
    }

    private func start(_ name: UnsafePointer<UInt8>?) {
        guard let element = element(name) else {
            let name = text(name)
            if name.lowercased() == "html" { return stop(.html) }
            return stop(.notXMLRPC("it has the element <\(name)>, which XML-RPC does not have"))
        }
        if skipped.starts > 0 {
            skipped.starts -= 1
            return
        }
        do throws(AnswerProblem) { try handler.startElement(element) } catch { stop(error) }
    }

    private func end(_ name: UnsafePointer<UInt8>?) {
        guard let element = element(name) else { return }
        if skipped.ends > 0 {
            skipped.ends -= 1
            return
        }
        do throws(AnswerProblem) { try handler.endElement(element) } catch { stop(error) }
    }

    private func characters(_ text: UnsafePointer<UInt8>?, _ count: Int32) {
        do throws(AnswerProblem) { try handler.text(UnsafeBufferPointer(start: text, count: Int(count))) } catch { stop(error) }
    }

    private func documentType(_ name: UnsafePointer<UInt8>?) {
        let isHTML = text(name).lowercased() == "html"
        stop(isHTML ? .html : .malformed("it has a document type declaration, which XML-RPC does not allow"))
    }

    private func text(_ name: UnsafePointer<UInt8>?) -> String {
        name.map { Excerpt.of(String(cString: $0), longest: 60) } ?? ""
    }

    private func element(_ name: UnsafePointer<UInt8>?) -> XMLRPCElement? {
        for index in 0..<names.count where names[index] == name { return XMLRPCElement(rawValue: UInt8(truncatingIfNeeded: index)) }
        return nil
    }

    private func stop(_ problem: AnswerProblem) {
        if self.problem == nil { self.problem = problem }
        xmlStopParser(context)
    }
}
