import Foundation
import Postgres
import Testing

struct DataTypeTests {
    /// What comes back when PostgreSQL is given the value as a parameter of its type.
    private func roundTrip<Value: PostgresEncodable & PostgresDecodable>(_ value: Value, as type: String) async throws -> Value {
        let pool = try await TestDatabase.pool()
        let rows = try await pool.query("SELECT \(value)::\(unsafe: type) AS value")
        return try #require(rows.first).decode("value")
    }

    @Test("text comes back", arguments: ["", "plain", "it's \"quoted\" \\ and é 😀\n", "NULL", "{}"])
    func textComesBack(text: String) async throws { #expect(try await roundTrip(text, as: "text") == text) }

    @Test("bigint comes back", arguments: [0, 1, -1, Int.max, Int.min])
    func bigintComesBack(number: Int) async throws { #expect(try await roundTrip(number, as: "bigint") == number) }

    @Test("integer comes back", arguments: [0, Int32.max, Int32.min])
    func integerComesBack(number: Int32) async throws { #expect(try await roundTrip(number, as: "integer") == number) }

    @Test(
        "double precision comes back",
        arguments: [0.0, -0.1, 1.0 / 3, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity])
    func doublePrecisionComesBack(number: Double) async throws {
        #expect(try await roundTrip(number, as: "double precision") == number)
    }

    @Test("boolean comes back", arguments: [true, false])
    func booleanComesBack(bool: Bool) async throws { #expect(try await roundTrip(bool, as: "boolean") == bool) }

    @Test("uuid comes back")
    func uuidComesBack() async throws {
        let id = UUID()
        #expect(try await roundTrip(id, as: "uuid") == id)
    }

    @Test("a date comes back to the microsecond", arguments: [0.0, 816_948_000.123456, -63_113_904_000, 252_423_993_599.5, -0.000001])
    func dateComesBackToMicrosecond(seconds: Double) async throws {
        let date = Date(timeIntervalSinceReferenceDate: seconds)
        #expect(try await roundTrip(date, as: "timestamptz") == date)
    }

    @Test("PostgreSQL understands a date as the same moment")
    func postgresqlUnderstandsDateAsSameMoment() async throws {
        let pool = try await TestDatabase.pool()
        let date = Date(timeIntervalSince1970: 1_795_255_200.123456)
        let rows = try await pool.query("SELECT (extract(epoch FROM \(date)) * 1000000)::bigint AS microseconds")
        #expect(try rows[0].decode(Int.self, "microseconds") == 1_795_255_200_123_456)
    }

    @Test("every type may be NULL")
    func everyTypeMayBeNULL() async throws {
        #expect(try await roundTrip(String?.none, as: "text") == nil)
        #expect(try await roundTrip(Int?.none, as: "bigint") == nil)
        #expect(try await roundTrip(Bool?.none, as: "boolean") == nil)
        #expect(try await roundTrip(Date?.none, as: "timestamptz") == nil)
        #expect(try await roundTrip(UUID?.none, as: "uuid") == nil)
        #expect(try await roundTrip([String]?.none, as: "text[]") == nil)
        #expect(try await roundTrip(PostgresJSON<[Int]>?.none, as: "jsonb") == nil)
        #expect(try await roundTrip(Int?.some(7), as: "bigint") == 7)
    }

    @Test("arrays come back with quotes, commas, NULL and unicode")
    func arraysComeBackWithQuotes() async throws {
        let texts = ["", "a,b", "say \"hi\"", "back\\slash", "{braces}", "null", "NULL", " space ", "é😀", "line\nbreak", "it's"]
        #expect(try await roundTrip(texts, as: "text[]") == texts)
        let gaps = ["a", nil, "NULL", ""]
        #expect(try await roundTrip(gaps, as: "text[]") == gaps)
        #expect(try await roundTrip([String](), as: "text[]") == [])
        #expect(try await roundTrip([1, .max, .min], as: "bigint[]") == [1, .max, .min])
        #expect(try await roundTrip([Int32(1), 2], as: "integer[]") == [1, 2])
        #expect(try await roundTrip([true, false], as: "boolean[]") == [true, false])
        let dates = [Date(timeIntervalSinceReferenceDate: 0.5), Date(timeIntervalSinceReferenceDate: 816_948_000.25)]
        #expect(try await roundTrip(dates, as: "timestamptz[]") == dates)
        let ids = [UUID(), UUID()]
        #expect(try await roundTrip(ids, as: "uuid[]") == ids)
    }

    @Test("an array is used as a set")
    func arrayIsUsedAsSet() async throws {
        let pool = try await TestDatabase.pool()
        let rows = try await pool.query("SELECT n FROM generate_series(1, 9) AS n WHERE n = ANY(\([2, 5, 11])) ORDER BY n")
        #expect(try rows.map { try $0.decode(Int.self, "n") } == [2, 5])
    }

    private struct Package: Codable, Equatable, Sendable {
        var name: String
        var builtAt: Date
        var sizes: [Int]
    }

    @Test("JSON comes back")
    func jsonComesBack() async throws {
        let package = Package(name: "it's \"é\"", builtAt: Date(timeIntervalSince1970: 1_700_000_000), sizes: [1, 2])
        #expect(try await roundTrip(SQL.JSON(package), as: "jsonb").value == package)
    }

    private enum Colour: String, PostgresEncodable, PostgresDecodable {
        case red
        case blue
    }

    @Test("an enum is kept as its raw value")
    func enumIsKeptAsItsRaw() async throws {
        #expect(try await roundTrip(Colour.blue, as: "text") == .blue)
        let pool = try await TestDatabase.pool()
        let rows = try await pool.query("SELECT 'green' AS colour")
        #expect(throws: PostgresError.self) { try rows[0].decode(Colour.self, "colour") }
    }

    @Test("a mismatch names the column and what was there")
    func mismatchNamesColumnAndWhatWas() async throws {
        let pool = try await TestDatabase.pool()
        let row = try #require(try await pool.query("SELECT NULL::text AS missing, 'abc' AS word, 1 AS one").first)
        #expect(throws: PostgresError(.decoding, "column \"missing\" is NULL where a String was expected")) {
            try row.decode(String.self, "missing")
        }
        #expect(throws: PostgresError(.decoding, "column \"word\" holds \"abc\" where a Int was expected")) {
            try row.decode(Int.self, "word")
        }
        #expect(throws: PostgresError(.decoding, "the answer has no column \"two\", only missing, one, word")) {
            try row.decode(Int.self, "two")
        }
        #expect(throws: PostgresError.self) { try row.decode(Bool.self, "one") }
    }

    @Test("a NUL character is refused by name", arguments: ["a\0b", "\0"])
    func nulCharacterIsRefusedByName(text: String) async throws {
        let pool = try await TestDatabase.pool()
        for statement in ["SELECT \(text)", "SELECT \([text])", "SELECT \(String?(text))"] as [SQL] {
            let error = await #expect(throws: PostgresError.self) { try await pool.query(statement) }
            #expect(error?.code == .encoding)
            #expect(error?.message.contains("NUL") == true)
        }
    }

    @Test("changed rows are counted")
    func changedRowsAreCounted() async throws {
        let pool = try await TestDatabase.pool()
        _ = try await pool.query("CREATE TABLE t (n integer)")
        #expect(try await pool.query("INSERT INTO t SELECT generate_series(1, 5)").affectedRows == 5)
        #expect(try await pool.query("UPDATE t SET n = 0 WHERE n > \(3)").affectedRows == 2)
        #expect(try await pool.query("DELETE FROM t WHERE n = 99").affectedRows == 0)
        #expect(try await pool.query("SELECT n FROM t").count == 5)
    }

    @Test("a large answer and a large parameter pass whole")
    func largeAnswerAndLargeParameterPass() async throws {
        let pool = try await TestDatabase.pool()
        let text = String(repeating: "é", count: 1_000_000)
        #expect(try await pool.query("SELECT \(text) AS text")[0].decode(String.self, "text") == text)
        let rows = try await pool.query("SELECT n FROM generate_series(1, 100000) AS n")
        #expect(try rows.reduce(0) { try $0 + $1.decode(Int.self, "n") } == 5_000_050_000)
    }
}
