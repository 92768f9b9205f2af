import CXML2
import Glibc

/// What is done about the parts of a document that a ``SAXReader`` reads, in their order.
///
/// Closures rather than a protocol or a class: made where all types are known, they are compiled for them, and they are called millions of times.
struct SAXHandler {
    let startElement: (XMLRPCElement) throws(AnswerProblem) -> Void
    let endElement: (XMLRPCElement) throws(AnswerProblem) -> Void
    /// A piece of text; valid only during the call.
    let text: (UnsafeBufferPointer<UInt8>) throws(AnswerProblem) -> Void
}

/// Reads an XML document with libxml2's push parser: piece by piece as it arrives, into calls of a ``SAXHandler``.
///
/// Nothing is kept of what was read, nothing is fetched, and no entity is known but the five of XML itself: a document type declaration is refused.
final class SAXReader {
    private let context: xmlParserCtxtPtr
    /// libxml2 keeps each name once, so that names can be told apart by where they are.
    private let names: UnsafeMutableBufferPointer<UnsafePointer<UInt8>?>
    private let handler: SAXHandler
    private var problem: AnswerProblem?
    /// Elements that are yet to begin or end and that somebody else has read already: see ``skip(declaration:lines:open:isOver:)``.
    private var skipped = (starts: 0, ends: 0)

    init(_ handler: SAXHandler) {
        _ = Self.isPrepared
        self.handler = handler
        var callbacks = xmlSAXHandler()
        callbacks.startElement = { reader, name, _ in SAXReader.of(reader) { $0.start(name) } }
        callbacks.endElement = { reader, name in SAXReader.of(reader) { $0.end(name) } }
        callbacks.characters = { reader, text, count in SAXReader.of(reader) { $0.characters(text, count) } }
        // The same function for both, so that libxml2 does not look which text is blank.
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
        // Unretained: the parser is used by this object's methods only.
        context.pointee.userData = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        if let document = context.pointee.myDoc { xmlFreeDoc(document) }
        xmlFreeParserCtxt(context)
        names.deallocate()
    }

    /// Goes to a place in the document without telling the handler what is before it.
    ///
    /// - Parameters:
    ///   - declaration: with which the document begins, if it does.
    ///   - lines: that end before the place.
    ///   - open: the elements that have begun, from the outermost to the innermost.
    ///   - isOver: whether the only one of them has ended as well.
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

    /// Says that there is no more.
    func finish() throws(AnswerProblem) { try parse(nil, 0, isLast: true) }

    private func parse(_ bytes: UnsafePointer<CChar>?, _ count: Int, isLast: Bool) throws(AnswerProblem) {
        let status = xmlParseChunk(context, bytes, Int32(count), isLast ? 1 : 0)
        if let problem { throw problem }
        guard status == XML_ERR_OK.rawValue || context.pointee.wellFormed != 0 else { throw complaint(isLast: isLast) }
    }

    private func complaint(isLast: Bool) -> AnswerProblem {
        let code = xmlParserErrors(UInt32(bitPattern: context.pointee.errNo))
        // At the end only what is missing is left to complain about, besides a document that never began.
        if isLast { return .truncated }
        let error = context.pointee.lastError
        let place = "line \(error.line)"
        switch code {
        // What libxml2 calls its own error is text that it could not go on with: at the same character, after pieces of another length.
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

// What libxml2 calls.
extension SAXReader {
    @inline(__always)
    private static func of(_ pointer: UnsafeMutableRawPointer?, _ body: (SAXReader) -> Void) {
        // Neither retained nor released: this happens millions of times, and the reader waits for the parser to return.
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
