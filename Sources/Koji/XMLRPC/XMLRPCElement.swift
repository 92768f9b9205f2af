/// An element of XML-RPC. The most frequent elements come first.
enum XMLRPCElement: UInt8, CaseIterable {
    case value, name, member, string, int, `nil`, boolean, structure, array, data, double, i8, i4, i2, i1, float, base64, dateTime,
        extensionNil
    case param, params, fault, methodResponse, methodCall, methodName

    var name: String {
        switch self {
        case .value: "value"
        case .name: "name"
        case .member: "member"
        case .string: "string"
        case .int: "int"
        case .nil: "nil"
        case .boolean: "boolean"
        case .structure: "struct"
        case .array: "array"
        case .data: "data"
        case .double: "double"
        case .i8: "i8"
        case .i4: "i4"
        case .i2: "i2"
        case .i1: "i1"
        case .float: "float"
        case .base64: "base64"
        case .dateTime: "dateTime.iso8601"
        case .extensionNil: "ex:nil"
        case .param: "param"
        case .params: "params"
        case .fault: "fault"
        case .methodResponse: "methodResponse"
        case .methodCall: "methodCall"
        case .methodName: "methodName"
        }
    }

    /// The kind of scalar that the element holds, or `nil` if it holds no scalar.
    var scalar: XMLRPCScalar.Kind? {
        switch self {
        case .string: .string
        case .int, .i8, .i4, .i2, .i1: .int
        case .nil, .extensionNil: .null
        case .boolean: .bool
        case .double, .float: .double
        case .base64: .base64
        case .dateTime: .dateTime
        default: nil
        }
    }

    /// The smallest and the largest number of child elements.
    var children: ClosedRange<Int> {
        switch self {
        case .value: 0...1
        case .member: 2...2
        case .array, .param, .fault, .methodResponse: 1...1
        case .methodCall: 1...2
        case .structure, .data, .params: 0...Int.max
        default: 0...0
        }
    }

    /// Returns whether the element may be in `parent`, after `position` other children.
    func fits(in parent: XMLRPCElement?, at position: Int) -> Bool {
        switch self {
        case .value: parent == .member && position == 1 || parent == .data || parent == .param || parent == .fault
        case .name: parent == .member && position == 0
        case .member: parent == .structure
        case .data: parent == .array
        case .param: parent == .params
        case .params: parent == .methodResponse || parent == .methodCall && position == 1
        case .fault: parent == .methodResponse
        case .methodName: parent == .methodCall && position == 0
        case .methodResponse, .methodCall: parent == nil
        default: parent == .value
        }
    }
}
