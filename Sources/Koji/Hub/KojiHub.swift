public import Logging

/// A client for one Koji hub, with the calls that composes need.
///
/// No call changes anything on the hub. No call needs a session. Each call can be repeated when no
/// answer came.
///
/// The methods have the names of the hub's methods, which Koji documents. The parameter `event` selects
/// a moment in the hub's history, and the default is the present. The methods throw ``KojiError``.
public final class KojiHub: Sendable {
    public let profile: KojiProfile
    let limits: KojiLimits
    private let connection: HubConnection

    /// - Parameter clock: The clock for the pauses between two attempts.
    /// - Throws: ``KojiError`` with `.settings` when a certificate cannot be read.
    public init(
        _ profile: KojiProfile, limits: KojiLimits = KojiLimits(), logger: Logger, clock: any Clock<Duration> = ContinuousClock()
    ) throws(KojiError) {
        self.profile = profile
        self.limits = limits
        connection = try HubConnection(profile, limits: limits, logger: logger, clock: clock)
    }

    /// Closes the connections. Call it once, after the last call has ended.
    public func shutdown() async throws { try await connection.close() }

    /// Makes any call and returns the whole answer as a value. It is meant for small answers, up to
    /// ``KojiLimits/smallAnswerBytes``.
    public func call(_ call: XMLRPCCall) async throws(KojiError) -> XMLRPCValue {
        let tree = try await answer(call, bytes: limits.smallAnswerBytes) { ValueTree() }
        guard let value = tree.value else { throw unexpected(call.method, "it has no value") }
        return value
    }

    /// Makes many calls with few requests, and returns an answer or a fault for each, in their order.
    ///
    /// - Parameter atOnce: The most calls per request, for calls with large answers. It cannot exceed
    ///   ``KojiLimits/callsAtOnce``.
    public func multiCall(_ calls: [XMLRPCCall], atOnce: Int = .max) async throws(KojiError) -> [Result<XMLRPCValue, KojiError>] {
        var results: [Result<XMLRPCValue, KojiError>] = []
        results.reserveCapacity(calls.count)
        let atOnce = max(1, min(atOnce, limits.callsAtOnce))
        for start in stride(from: 0, to: calls.count, by: atOnce) {
            let some = calls[start..<min(start + atOnce, calls.count)]
            let answer = try await call(XMLRPCCall("multiCall", .array(some.map(\.asValue))))
            guard case .array(let answers) = answer, answers.count == some.count else {
                throw unexpected("multiCall", "it has not one answer for each call")
            }
            for (call, answer) in zip(some, answers) { results.append(try result(answer, of: call.method)) }
        }
        return results
    }

    private func result(_ answer: XMLRPCValue, of method: String) throws(KojiError) -> Result<XMLRPCValue, KojiError> {
        switch answer {
        case .array(let values) where values.count == 1: return .success(values[0])
        case .structure:
            let fault: KojiError.Fault
            do { fault = try KojiError.Fault(answer) } catch { throw unexpected("multiCall", "it has a fault without a code") }
            return .failure(KojiError(fault: fault, method: method, hub: profile.hubName))
        default: throw unexpected("multiCall", "it has \(answer.kind) where an answer or a fault should be")
        }
    }
}

// Conversion of answers into rows.
extension KojiHub {
    /// Returns the struct that the hub answers, or `nil` when the answer is nil.
    func row<Row: AnswerRow>(_ call: XMLRPCCall, as type: Row.Type = Row.self) async throws(KojiError) -> Row? {
        try await answer(call, bytes: limits.smallAnswerBytes) { SingleRow<Row>() }.row
    }

    /// Returns the struct that the hub answers. Throws `.unexpected` when the answer is nil.
    func certainRow<Row: AnswerRow>(_ call: XMLRPCCall, as type: Row.Type = Row.self) async throws(KojiError) -> Row {
        guard let row = try await row(call, as: Row.self) else { throw unexpected(call.method, "it is nil where a \(Row.noun) should be") }
        return row
    }

    /// Returns the list of structs that the hub answers. They are read one at a time.
    func rows<Row: AnswerRow>(_ call: XMLRPCCall, as type: Row.Type = Row.self) async throws(KojiError) -> [Row] {
        let rows = Latest<[Row]>()
        _ = try await answer(call, bytes: limits.answerBytes) {
            rows.value = []
            return RowList<Row> { rows.value?.append($0) }
        }
        return rows.value ?? []
    }

    /// Returns the struct in one of a multiCall's answers, or `nil` when that answer is nil.
    func row<Row: AnswerRow>(in value: XMLRPCValue, of method: String, as type: Row.Type = Row.self) throws(KojiError) -> Row? {
        try decode(value, of: method, into: SingleRow<Row>()).row
    }

    /// Returns the list of structs in one of a multiCall's answers, or in a part of an answer.
    func rows<Row: AnswerRow>(in value: XMLRPCValue, of method: String, as type: Row.Type = Row.self) throws(KojiError) -> [Row] {
        let rows = Latest<[Row]>()
        rows.value = []
        _ = try decode(value, of: method, into: RowList<Row> { rows.value?.append($0) })
        return rows.value ?? []
    }

    /// Returns the packages and the builds in one of a multiCall's answers of listTaggedRPMS.
    func taggedRows(in value: XMLRPCValue) throws(KojiError) -> [TaggedRow] {
        let rows = Latest<[TaggedRow]>()
        rows.value = []
        _ = try decode(value, of: "listTaggedRPMS", into: TaggedRPMList { rows.value?.append($0) })
        return rows.value ?? []
    }

    private func decode<Sink: ValueSink>(_ value: XMLRPCValue, of method: String, into sink: Sink) throws(KojiError) -> Sink {
        var sink = sink
        do {
            try value.replay(into: &sink)
        } catch {
            throw connection.explain(error, method, received: 0) as? KojiError ?? unexpected(method, "it has another form")
        }
        return sink
    }

    /// Reads a whole answer of listTaggedRPMS, row by row.
    func taggedRows<Result: Sendable>(
        _ call: XMLRPCCall, into initial: Result, _ take: @escaping @Sendable (inout Result, TaggedRow) throws -> Void
    ) async throws -> Result {
        let result = Latest<Result>()
        _ = try await connection.answer(call, bytes: limits.answerBytes) {
            result.value = initial
            return TaggedRPMList { row in
                guard var value = result.value.take() else { return }
                defer { result.value = value }
                try take(&value, row)
            }
        }
        return result.value ?? initial
    }

    func unexpected(_ method: String, _ what: String) -> KojiError {
        KojiError(.unexpected, "The answer of the Koji hub at \(profile.origin) to \(method) cannot be used: \(what).")
    }

    private func answer<Sink: ValueSink>(_ call: XMLRPCCall, bytes: Int, into makeSink: () -> Sink) async throws(KojiError) -> Sink {
        do {
            return try await connection.answer(call, bytes: bytes, into: makeSink)
        } catch let error as KojiError {
            throw error
        } catch {
            // Any other error comes from the owner of a sink, and these sinks do not throw.
            throw unexpected(call.method, "\(type(of: error))")
        }
    }
}

/// A box for the rows of the latest attempt. It belongs to one call.
private final class Latest<Value> {
    var value: Value?
}
