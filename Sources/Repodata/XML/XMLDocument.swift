import CXML2
import Compression
import Glibc

/// A small XML document, parsed by libxml2 into values. Names keep the prefix as it is written. Names
/// in the default namespace have none.
struct XMLDocument {
    let root: XMLElement

    /// Parses `bytes`. Entities are not expanded, and nothing is downloaded. Throws `.malformed` with
    /// libxml2's message and the line if `bytes` are not well-formed UTF-8 XML.
    init(_ bytes: [UInt8], named name: String) throws(RepodataError) {
        try CreaterepoLibrary.prepare()
        try XMLAttributeCount.check(bytes, named: name)
        // The encoding is fixed. Otherwise the document could declare another one and hide the text that was
        // searched in its bytes.
        let options = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
        let document = try bytes.withUnsafeBufferPointer { (raw) throws(RepodataError) -> xmlDocPtr in
            guard let count = Int32(exactly: raw.count) else { throw RepodataError(.tooLarge, "\(name) is larger than 2 GiB") }
            let parsed = xmlReadMemory(UnsafeRawPointer(raw.baseAddress)?.assumingMemoryBound(to: CChar.self), count, nil, "UTF-8", options)
            guard let parsed else { throw RepodataError(.malformed, "\(name) is not well-formed XML\(Self.lastComplaint())") }
            return parsed
        }
        defer { xmlFreeDoc(document) }
        guard let root = xmlDocGetRootElement(document) else { throw RepodataError(.malformed, "\(name) is empty") }
        self.root = XMLElement(root)
    }

    private static func lastComplaint() -> String {
        guard let error = xmlGetLastError(), let message = error.pointee.message else { return "" }
        let text = String(cString: message).split(separator: "\n").first ?? ""
        return " (line \(error.pointee.line): \(text))"
    }
}

/// An element of an ``XMLDocument``, with its content.
struct XMLElement {
    let name: String
    let attributes: [String: String]
    let children: [XMLElement]
    /// The text directly in the element, without leading and trailing white space.
    let text: String

    subscript(attribute: String) -> String? { attributes[attribute] }

    func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The recursion is bounded, because libxml2 limits the depth of a document to 256.
    fileprivate init(_ node: xmlNodePtr) {
        name = Self.name(node.pointee.name, in: node.pointee.ns)
        var attributes: [String: String] = [:]
        var next = node.pointee.properties
        while let attribute = next {
            let value = xmlNodeListGetString(node.pointee.doc, attribute.pointee.children, 1)
            attributes[Self.name(attribute.pointee.name, in: attribute.pointee.ns)] = value.map { String(cString: $0) } ?? ""
            free(value)  // xmlFree, which Swift cannot call, is free unless a program replaced it
            next = attribute.pointee.next
        }
        self.attributes = attributes
        var children: [XMLElement] = []
        var text = ""
        var child = node.pointee.children
        while let current = child {
            switch current.pointee.type {
            case XML_ELEMENT_NODE: children.append(XMLElement(current))
            case XML_TEXT_NODE, XML_CDATA_SECTION_NODE: text += current.pointee.content.map { String(cString: $0) } ?? ""
            default: break
            }
            child = current.pointee.next
        }
        self.children = children
        self.text = text.lastIndex { !$0.isWhitespace }.map { String(text[...$0].drop(while: \.isWhitespace)) } ?? ""
    }

    private static func name(_ name: UnsafePointer<xmlChar>?, in namespace: UnsafeMutablePointer<xmlNs>?) -> String {
        let local = name.map { String(cString: $0) } ?? ""
        guard let prefix = namespace?.pointee.prefix else { return local }
        return "\(String(cString: prefix)):\(local)"
    }
}
