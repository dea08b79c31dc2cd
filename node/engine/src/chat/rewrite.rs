// SPDX-License-Identifier: Apache-2.0
//! Rewriting of a template, in which operators become calls so that they can be bounded.
//!
//! Operators that allocate (`~`, `+`, `*`, slices, lists and maps) and those that compare become
//! calls of functions in [`super::bounded`]. Raw text becomes an expression, which the formatter
//! counts. Constructs that chat templates do not need are refused: recursive loops, spread argument
//! lists, macros in loops, and leaving a loop from inside a block that would not be closed.

use super::bounded::{CONCAT, DATE, KEEP, LOOK, PART, SLICE, TIMES};
use minijinja::{
    machinery::{
        ast::{self, BinOpKind, Expr, Spanned, Stmt, UnaryOpKind},
        Span,
    },
    Error, ErrorKind, Value,
};

/// The deepest nesting of expressions.
const DEPTH: u32 = 200;
/// The function that returns the date in other programs, and here an argument of the chat.
const NOW: &str = "strftime_now";
/// The most arguments of a call.
const ARGUMENTS: usize = 255;

/// The place of a statement.
#[derive(Clone, Copy)]
struct Place {
    /// Whether the statement is directly in a loop, so that it can leave it.
    leaves: bool,
    /// Whether it is executed once, so that it can define a macro.
    once: bool,
}

/// Returns the template in its bounded form.
pub(super) fn bounded<'s>(template: &Stmt<'s>) -> Result<Stmt<'s>, Error> {
    statement(template, Place { leaves: false, once: true })
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::SyntaxError, format!("chat templates may not have {what}"))
}

fn call<'s>(name: &'s str, args: Vec<Expr<'s>>, span: Span) -> Expr<'s> {
    let expr = Expr::Var(Spanned::new(ast::Var { id: name }, span));
    let args = args.into_iter().map(ast::CallArg::Pos).collect();
    Expr::Call(Spanned::new(ast::Call { expr, args }, span))
}

fn statements<'s>(body: &[Stmt<'s>], place: Place) -> Result<Vec<Stmt<'s>>, Error> {
    body.iter().map(|inner| statement(inner, place)).collect()
}

fn statement<'s>(stmt: &Stmt<'s>, place: Place) -> Result<Stmt<'s>, Error> {
    let closed = Place { leaves: false, ..place };
    Ok(match stmt {
        Stmt::Template(template) => {
            let children = statements(&template.children, place)?;
            Stmt::Template(Spanned::new(ast::Template { children }, template.span()))
        }
        Stmt::EmitExpr(emit) => {
            let expr = expression(&emit.expr, 0)?;
            Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr }, emit.span()))
        }
        Stmt::EmitRaw(raw) => {
            let constant = ast::Const { value: Value::from(raw.raw) };
            let expr = Expr::Const(Spanned::new(constant, raw.span()));
            Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr }, raw.span()))
        }
        Stmt::ForLoop(each) => Stmt::ForLoop(Spanned::new(for_loop(each, place)?, each.span())),
        Stmt::IfCond(cond) => {
            let (expr, span) = (expression(&cond.expr, 0)?, cond.span());
            let true_body = statements(&cond.true_body, place)?;
            let false_body = statements(&cond.false_body, place)?;
            Stmt::IfCond(Spanned::new(ast::IfCond { expr, true_body, false_body }, span))
        }
        Stmt::WithBlock(with) => {
            let pairs = with.assignments.iter();
            let assignments = pairs.map(|(to, value)| assignment(to, value));
            let assignments = assignments.collect::<Result<_, _>>()?;
            let body = statements(&with.body, closed)?;
            Stmt::WithBlock(Spanned::new(ast::WithBlock { assignments, body }, with.span()))
        }
        Stmt::Set(set) => {
            let (target, expr) = assignment(&set.target, &set.expr)?;
            Stmt::Set(Spanned::new(ast::Set { target, expr }, set.span()))
        }
        Stmt::SetBlock(set) => {
            let filter = set.filter.as_ref().map(|expr| expression(expr, 0)).transpose()?;
            let (target, body) = (target(&set.target)?, statements(&set.body, closed)?);
            Stmt::SetBlock(Spanned::new(ast::SetBlock { target, filter, body }, set.span()))
        }
        Stmt::FilterBlock(block) => {
            let filter = expression(&block.filter, 0)?;
            let body = statements(&block.body, closed)?;
            Stmt::FilterBlock(Spanned::new(ast::FilterBlock { filter, body }, block.span()))
        }
        Stmt::Macro(one) if place.once => {
            let args = one.args.iter().map(target).collect::<Result<_, _>>()?;
            let defaults = one.defaults.iter().map(|expr| expression(expr, 0));
            let defaults = defaults.collect::<Result<_, _>>()?;
            let body = statements(&one.body, Place { leaves: false, once: false })?;
            Stmt::Macro(Spanned::new(
                ast::Macro { name: one.name, args, defaults, body },
                one.span(),
            ))
        }
        Stmt::Macro(_) => return Err(refused("macros in loops or macros")),
        Stmt::Do(tag) => {
            let call = Spanned::new(called(&tag.call, 0)?, tag.call.span());
            Stmt::Do(Spanned::new(ast::Do { call }, tag.span()))
        }
        Stmt::Continue(tag) if place.leaves => {
            Stmt::Continue(Spanned::new(ast::Continue, tag.span()))
        }
        Stmt::Break(tag) if place.leaves => Stmt::Break(Spanned::new(ast::Break, tag.span())),
        Stmt::Continue(_) | Stmt::Break(_) => {
            return Err(refused("break and continue inside a block in the loop"));
        }
        _ => return Err(refused("autoescape, call, or other templates")),
    })
}

fn for_loop<'s>(each: &ast::ForLoop<'s>, place: Place) -> Result<ast::ForLoop<'s>, Error> {
    if each.recursive {
        return Err(refused("recursive loops"));
    }
    let filter = each.filter_expr.as_ref().map(|expr| expression(expr, 0)).transpose()?;
    Ok(ast::ForLoop {
        target: target(&each.target)?,
        iter: expression(&each.iter, 0)?,
        filter_expr: filter,
        recursive: false,
        body: statements(&each.body, Place { leaves: true, once: false })?,
        else_body: statements(&each.else_body, place)?,
    })
}

/// Rewrites an assignment. A value that is assigned to a namespace becomes a part of it.
fn assignment<'s>(to: &Expr<'s>, value: &Expr<'s>) -> Result<(Expr<'s>, Expr<'s>), Error> {
    let expr = expression(value, 0)?;
    match to {
        Expr::Var(_) => Ok((target(to)?, expr)),
        _ => Ok((target(to)?, call(PART, vec![expr], value.span()))),
    }
}

fn target<'s>(to: &Expr<'s>) -> Result<Expr<'s>, Error> {
    Ok(match to {
        Expr::Var(var) => Expr::Var(Spanned::new(ast::Var { id: var.id }, var.span())),
        Expr::GetAttr(get) => {
            let expr = expression(&get.expr, 0)?;
            Expr::GetAttr(Spanned::new(ast::GetAttr { expr, name: get.name }, get.span()))
        }
        Expr::List(list) => {
            let items = list.items.iter().map(target).collect::<Result<_, _>>()?;
            Expr::List(Spanned::new(ast::List { items }, list.span()))
        }
        _ => return Err(refused("such a target of an assignment")),
    })
}

fn expressions<'s>(all: &[Expr<'s>], depth: u32) -> Result<Vec<Expr<'s>>, Error> {
    all.iter().map(|expr| expression(expr, depth)).collect()
}

fn option<'s>(expr: Option<&Expr<'s>>, depth: u32) -> Result<Option<Expr<'s>>, Error> {
    expr.map(|expr| expression(expr, depth)).transpose()
}

/// Rewrites an operand of a comparison.
fn looked<'s>(expr: &Expr<'s>, depth: u32) -> Result<Expr<'s>, Error> {
    match expr {
        Expr::Const(_) => expression(expr, depth),
        _ => Ok(call(LOOK, vec![expression(expr, depth)?], expr.span())),
    }
}

fn expression<'s>(expr: &Expr<'s>, depth: u32) -> Result<Expr<'s>, Error> {
    if depth == DEPTH {
        return Err(refused(&format!("expressions nested deeper than {DEPTH}")));
    }
    let (depth, span) = (depth + 1, expr.span());
    Ok(match expr {
        Expr::Var(var) => Expr::Var(Spanned::new(ast::Var { id: var.id }, span)),
        Expr::Const(constant) => constant_of(constant.value.clone(), span),
        Expr::Slice(slice) => {
            let mut args = vec![expression(&slice.expr, depth)?];
            for bound in [&slice.start, &slice.stop, &slice.step] {
                let bound = option(bound.as_ref(), depth)?;
                args.push(bound.unwrap_or_else(|| constant_of(Value::from(()), span)));
            }
            call(SLICE, args, span)
        }
        Expr::UnaryOp(unary) => {
            let op = match unary.op {
                UnaryOpKind::Not => UnaryOpKind::Not,
                _ => UnaryOpKind::Neg,
            };
            let expr = expression(&unary.expr, depth)?;
            Expr::UnaryOp(Spanned::new(ast::UnaryOp { op, expr }, span))
        }
        Expr::BinOp(binary) => operation(binary, depth, span)?,
        Expr::Compare(compare) => {
            let ops = compare.ops.iter().map(|op| {
                Ok::<_, Error>(ast::CompareOp { op: op.op, expr: looked(&op.expr, depth)? })
            });
            let (expr, ops) = (looked(&compare.expr, depth)?, ops.collect::<Result<_, _>>()?);
            Expr::Compare(Spanned::new(ast::Compare { expr, ops }, span))
        }
        Expr::IfExpr(cond) => {
            let test_expr = expression(&cond.test_expr, depth)?;
            let true_expr = expression(&cond.true_expr, depth)?;
            let false_expr = option(cond.false_expr.as_ref(), depth)?;
            Expr::IfExpr(Spanned::new(ast::IfExpr { test_expr, true_expr, false_expr }, span))
        }
        Expr::Filter(filter) => {
            let expr = option(filter.expr.as_ref(), depth)?;
            let args = arguments(&filter.args, depth)?;
            Expr::Filter(Spanned::new(ast::Filter { name: filter.name, expr, args }, span))
        }
        Expr::Test(test) => {
            let expr = expression(&test.expr, depth)?;
            let args = arguments(&test.args, depth)?;
            Expr::Test(Spanned::new(ast::Test { name: test.name, expr, args }, span))
        }
        Expr::GetAttr(get) => {
            let expr = expression(&get.expr, depth)?;
            Expr::GetAttr(Spanned::new(ast::GetAttr { expr, name: get.name }, span))
        }
        Expr::GetItem(get) => {
            let expr = expression(&get.expr, depth)?;
            let subscript_expr = expression(&get.subscript_expr, depth)?;
            Expr::GetItem(Spanned::new(ast::GetItem { expr, subscript_expr }, span))
        }
        Expr::Call(one) => Expr::Call(Spanned::new(called(one, depth)?, span)),
        Expr::List(list) => {
            let items = expressions(&list.items, depth)?;
            call(KEEP, vec![Expr::List(Spanned::new(ast::List { items }, span))], span)
        }
        Expr::Map(map) => {
            let keys = expressions(&map.keys, depth)?;
            let values = expressions(&map.values, depth)?;
            call(KEEP, vec![Expr::Map(Spanned::new(ast::Map { keys, values }, span))], span)
        }
    })
}

fn constant_of<'s>(value: Value, span: Span) -> Expr<'s> {
    Expr::Const(Spanned::new(ast::Const { value }, span))
}

fn operation<'s>(binary: &ast::BinOp<'s>, depth: u32, span: Span) -> Result<Expr<'s>, Error> {
    use BinOpKind as Op;
    let compares =
        matches!(binary.op, Op::Eq | Op::Ne | Op::Lt | Op::Lte | Op::Gt | Op::Gte | Op::In);
    let operand = if compares { looked } else { expression };
    let (left, right) = (operand(&binary.left, depth)?, operand(&binary.right, depth)?);
    Ok(match binary.op {
        Op::Concat => call(CONCAT, vec![left, right], span),
        Op::Mul => call(TIMES, vec![left, right], span),
        // The sum of two texts is as long as both, and that of two lists is computed later.
        Op::Add => {
            let sum = Expr::BinOp(Spanned::new(ast::BinOp { op: binary.op, left, right }, span));
            call(KEEP, vec![sum], span)
        }
        op => Expr::BinOp(Spanned::new(ast::BinOp { op, left, right }, span)),
    })
}

fn called<'s>(one: &ast::Call<'s>, depth: u32) -> Result<ast::Call<'s>, Error> {
    if matches!(&one.expr, Expr::GetAttr(get) if get.name == "cycle") && one.args.is_empty() {
        return Err(refused("an empty cycle"));
    }
    let mut args = arguments(&one.args, depth)?;
    let expr = match &one.expr {
        // A value that is not a function cannot be called, so another function is given the value.
        Expr::Var(var) if var.id == NOW => {
            args.insert(0, ast::CallArg::Pos(expression(&one.expr, depth)?));
            Expr::Var(Spanned::new(ast::Var { id: DATE }, one.expr.span()))
        }
        other => expression(other, depth)?,
    };
    Ok(ast::Call { expr, args })
}

fn arguments<'s>(args: &[ast::CallArg<'s>], depth: u32) -> Result<Vec<ast::CallArg<'s>>, Error> {
    if args.len() > ARGUMENTS {
        return Err(refused(&format!("calls with more than {ARGUMENTS} arguments")));
    }
    let argument = |arg: &ast::CallArg<'s>| {
        Ok(match arg {
            ast::CallArg::Pos(expr) => ast::CallArg::Pos(expression(expr, depth)?),
            ast::CallArg::Kwarg(name, expr) => ast::CallArg::Kwarg(name, expression(expr, depth)?),
            _ => return Err(refused("spread arguments")),
        })
    };
    args.iter().map(argument).collect()
}
