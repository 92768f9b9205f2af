import Synchronization

/// A value that is made when it is first used. A program that needs no connection then makes none.
final class FirstUse<Value: Sendable>: Sendable {
    private let made: Mutex<Value?> = Mutex(nil)
    private let make: @Sendable () -> Value

    init(_ make: @escaping @Sendable () -> Value) { self.make = make }

    var value: Value {
        made.withLock { made in
            if let made { return made }
            let new = make()
            made = new
            return new
        }
    }

    /// The value if it was used before.
    var valueIfUsed: Value? { made.withLock(\.self) }
}
